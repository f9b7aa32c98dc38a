//! Operations on many objects at once: listing a directory, fetching sizes, and removal.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt};

use super::error::Failure;
use super::http::ForObject;
use super::location::{Kind, Location};
use super::options::StoreOptions;
use super::retry::attempt;
use super::runtime::{WaitCheck, wait_for};
use super::store::{CredentialSources, Stores};
use crate::{Error, Result};

/// The maximum number of requests in flight.
const REQUESTS: usize = 16;

/// The number of objects of one directory from which the directory is listed. Fewer are requested one by one.
const LISTED: usize = 3;

/// Returns the sizes of objects. If several are in one directory, the directory is listed.
///
/// # Errors
/// As [`StoreFile::all`](super::StoreFile::all). Also if an object is missing, or if a store does not answer.
#[doc(hidden)]
pub fn store_sizes(
    urls: &[String],
    options: &StoreOptions,
    credentials: CredentialSources,
    check: &WaitCheck,
) -> Result<Vec<u64>> {
    options.check(urls.iter().map(String::as_str))?;
    let locations = urls.iter().map(|url| Location::parse(url)).collect::<Result<Vec<_>>>()?;
    let stores = Stores::new(options.clone(), credentials);
    wait_for(check, async {
        let mut sizes = vec![0; locations.len()];
        let found = groups(&locations).into_iter().map(|group| Box::pin(sizes_of(&stores, &locations, group)));
        let mut found = futures_util::stream::iter(found).buffer_unordered(REQUESTS);
        while let Some(group) = found.next().await {
            for (index, size) in group? {
                sizes[index] = size;
            }
        }
        Ok(sizes)
    })
}

/// Groups the indices of locations: those of one listing together, the others alone.
fn groups(locations: &[Location]) -> Vec<Vec<usize>> {
    let mut directories: BTreeMap<(&str, Path), Vec<usize>> = BTreeMap::new();
    for (index, location) in locations.iter().enumerate() {
        directories.entry((&location.store, directory(&location.key))).or_default().push(index);
    }
    let mut groups = Vec::new();
    for members in directories.into_values() {
        if members.len() >= LISTED && locations[members[0]].kind != Kind::Http {
            groups.push(members);
        } else {
            groups.extend(members.into_iter().map(|index| vec![index]));
        }
    }
    groups
}

fn directory(key: &Path) -> Path {
    let parts: Vec<_> = key.parts().collect();
    parts[..parts.len().saturating_sub(1)].iter().cloned().collect()
}

async fn sizes_of(stores: &Stores, locations: &[Location], group: Vec<usize>) -> Result<Vec<(usize, u64)>> {
    let first = &locations[group[0]];
    if let [index] = group[..] {
        return Ok(vec![(index, size(stores, first).await?)]);
    }
    let prefix = directory(&first.key);
    let listed = attempt(stores, first, |store| {
        let prefix = prefix.clone();
        async move { list(&store.objects, &prefix).await }
    });
    let listed = listed.await.map_err(|failure| failure.raise(&first.shown))?;
    group
        .into_iter()
        .map(|index| {
            let Location { key, shown, .. } = &locations[index];
            let missing =
                || Error::source(std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such object"));
            let size = listed.get(key).copied().ok_or_else(|| missing().in_file(shown))?;
            Ok((index, size))
        })
        .collect()
}

/// Returns the URLs and sizes of the objects of a directory and its subdirectories, in the order of their keys.
///
/// # Errors
/// If the URL names no directory in a store, or if the store refuses the request.
#[doc(hidden)]
pub fn store_files_in(
    directory: &str,
    options: &StoreOptions,
    credentials: CredentialSources,
    check: &WaitCheck,
) -> Result<Vec<(String, u64)>> {
    options.check([directory])?;
    let stores = Stores::new(options.clone(), credentials);
    let location = in_directory(directory, "*")?;
    let folder = self::directory(&location.key);
    // The part of the URL before the key.
    let base = directory.strip_suffix('/').unwrap_or(directory);
    let base = base.strip_suffix(folder.as_ref()).unwrap_or(base).trim_end_matches('/');
    wait_for(check, async {
        let listed = attempt(&stores, &location, |store| {
            let folder = folder.clone();
            async move { store.objects.list(Some(&folder)).try_collect::<Vec<ObjectMeta>>().await }
        });
        let mut listed = listed.await.map_err(|failure| failure.raise(&location.shown))?;
        listed.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok(listed.into_iter().map(|object| (format!("{base}/{}", object.location), object.size)).collect())
    })
}

/// Returns the location of an object in a directory.
fn in_directory(directory: &str, name: &str) -> Result<Location> {
    let location = Location::parse(&format!("{}/{name}", directory.strip_suffix('/').unwrap_or(directory)))?;
    if location.kind == Kind::Http {
        return Err(Error::argument("web servers have no directories").in_file(&location.shown));
    }
    Ok(location)
}

/// Removes the objects of a directory whose names begin with `prefix`; returns their number.
///
/// # Errors
/// If the URL names no directory in a store, or if the store refuses a request.
#[doc(hidden)]
pub fn remove_store_files(
    directory: &str,
    prefix: &str,
    options: &StoreOptions,
    credentials: CredentialSources,
    check: &WaitCheck,
) -> Result<usize> {
    let stores = Stores::new(options.clone(), credentials);
    let location = in_directory(directory, prefix)?;
    let begins = location.key.to_string();
    wait_for(check, async {
        let raise = |failure: Failure| failure.raise(&location.shown);
        let folder = self::directory(&location.key);
        let listed = attempt(&stores, &location, |store| {
            let folder = folder.clone();
            async move { list(&store.objects, &folder).await }
        });
        let mut removed = 0;
        for key in listed.await.map_err(raise)?.into_keys().filter(|key| key.as_ref().starts_with(&begins)) {
            let key = &key;
            attempt(&stores, &location, |store| async move { store.objects.delete(key).await }).await.map_err(raise)?;
            removed += 1;
        }
        Ok(removed)
    })
}

async fn list(store: &Arc<dyn ObjectStore>, prefix: &Path) -> object_store::Result<BTreeMap<Path, u64>> {
    let listed = store.list_with_delimiter(Some(prefix)).await?;
    Ok(listed.objects.into_iter().map(|object| (object.location, object.size)).collect())
}

async fn size(stores: &Stores, location: &Location) -> Result<u64> {
    let key = &location.key;
    let found = attempt(stores, location, |store| async move { size_in(&*store.objects, key).await }).await;
    found.map_err(|failure| failure.raise(&location.shown))
}

/// Requests the size of an object.
pub(super) async fn size_in(store: &dyn ObjectStore, key: &Path) -> object_store::Result<u64> {
    let mut options = GetOptions { head: true, ..GetOptions::default() };
    options.extensions.insert(ForObject);
    Ok(store.get_opts(key, options).await?.meta.size)
}
