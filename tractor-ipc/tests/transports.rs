//! Every transport passes the one suite.

use tractor_ipc::testing::check_transport;
use tractor_ipc::transport::memory;
use tractor_ipc::{Transport, UdsTransport};

fn boxed(a: impl Transport, b: impl Transport) -> (Box<dyn Transport>, Box<dyn Transport>) {
    (Box::new(a), Box::new(b))
}

#[tokio::test]
async fn memory_conforms() {
    check_transport(|| {
        let (a, b) = memory::pair(16 << 10);
        boxed(a, b)
    })
    .await;
}

#[tokio::test]
async fn memory_with_little_room_conforms() {
    check_transport(|| {
        let (a, b) = memory::pair(900);
        boxed(a, b)
    })
    .await;
}

fn uds() -> (Box<dyn Transport>, Box<dyn Transport>) {
    let (ours, theirs) = UdsTransport::pair().unwrap();
    boxed(UdsTransport::from_inherited(theirs).unwrap(), ours)
}

#[tokio::test]
async fn uds_conforms() {
    check_transport(uds).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uds_conforms_on_many_threads() {
    check_transport(uds).await;
}
