//! Records of a scale and an unscaled number, as exact text. Debezium writes decimals without a fixed scale in this way
//! (`io.debezium.data.VariableScaleDecimal`).

use super::big_decimal::push_scaled;
use super::text::TextFormat;
use crate::binary::{Fault, read_int, read_length, read_slice};

/// A record of the fields `scale` (int) and `value` (bytes).
#[derive(Clone)]
pub(crate) struct ScaledNumber;

impl TextFormat for ScaledNumber {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (scale, pos) = read_int(bytes, pos)?;
        let (size, pos) = read_length(bytes, pos)?;
        let (number, end) = read_slice(bytes, pos, size)?;
        push_scaled(number, scale, out)?;
        Ok(end)
    }
}
