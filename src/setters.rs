//! Builder-style setters of option structs.

/// Generates methods that set one field each and return the struct.
macro_rules! setters {
    ($type:ident { $($setter:ident($($arg:ident: $from:ty),+) => $field:ident = $value:expr;)* }) => {
        impl $type {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](field@Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $setter(mut self, $($arg: $from),+) -> Self {
                    self.$field = $value;
                    self
                }
            )*
        }
    };
}
