//! The storage engine of Infinite Scale: spaces, files and folders in the on-disk format of oCIS's
//! `ocis` driver, with a journal in front of it.
//!
//! A [`Store`] is one root on one [`fs::Fs`], with its contents in a [`blob::BlobStore`]. [`Driver`],
//! [`upload::StoreUploads`] and [`session::StoreSessions`] are the ports of `ocis-core` over it, [`data::DataPlane`] is the way
//! in and out for bytes, [`Documents`] the port for small documents of services. A change is answered when its journal record is durable and applied.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use ocis_core::id::StorageId;
//! use ocis_storage::blob::{BlobStore, PosixBlobs};
//! use ocis_storage::fs::{Fs, MemoryFs};
//! use ocis_storage::ticket::Tickets;
//! use ocis_storage::{Driver, Options, Store};
//!
//! # fn main() -> ocis_core::Result<()> {
//! let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
//! let root = std::path::Path::new("/files");
//! let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
//! let storage = StorageId::random();
//! let store = Store::open(fs, blobs, root, Options::new(storage.clone()))?;
//! let tickets = Tickets::new(b"transfer secret", &storage, Duration::from_secs(3600))?;
//! let ports = Driver::new(Arc::clone(&store), tickets);
//! # drop(ports);
//! store.close()
//! # }
//! ```

pub mod blob;
pub mod data;
pub mod digest;
mod driver;
pub mod fs;
mod journal;
mod layout;
mod outbox;
pub mod session;
pub mod store;
pub mod ticket;
pub mod upload;

pub use driver::{Documents, Driver};
pub use outbox::Outlet;
pub use store::{Options, Store, Waiting, WhenOwned};
