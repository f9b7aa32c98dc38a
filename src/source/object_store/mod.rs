//! Files in object stores and behind HTTP: read by ranges with prefetching, and written in parts. Only this module and its
//! submodules use tokio.

mod answers;
mod arrivals;
mod clients;
mod credentials;
mod error;
mod fetch;
mod file;
mod group;
mod http;
mod location;
mod objects;
mod option_value;
mod options;
mod plan;
mod profile;
mod requests;
mod retry;
mod runtime;
mod settings;
mod store;
mod target;
mod upload;

pub use credentials::{CredentialSource, Credentials};
pub use file::StoreFile;
pub use location::SCHEMES;
pub use objects::{remove_store_files, store_files_in, store_sizes};
pub use option_value::OptionValue;
pub use options::StoreOptions;
pub use runtime::WaitCheck;
pub use store::CredentialSources;
pub use target::{StoreSink, StoreTarget, StoreTargets};
