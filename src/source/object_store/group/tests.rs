use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::*;
use crate::source::DeferredSource;
use crate::{StoreFile, StoreOptions};

#[test]
fn all_who_wait_share_a_failure() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.avro", server.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    thread::spawn(move || {
        for client in server.incoming() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 4096]).unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(500));
            client.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    let files = StoreFile::all([url.clone()], &StoreOptions::default(), HashMap::new(), None).unwrap();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| files[0].open().err().unwrap())).collect();
        for reader in readers {
            let error = reader.join().unwrap();
            assert_eq!(error.io().unwrap().kind(), io::ErrorKind::NotFound);
            assert!(error.to_string().starts_with(&url));
        }
    });
    assert_eq!(requests.load(Ordering::Relaxed), 1);
    // A later reader sends the request again.
    assert!(files[0].open().is_err());
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}
