//! Every transport passes the one suite; what is not one is refused.

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use tractor_ipc::testing::check_transport;
use tractor_ipc::transport::memory;
use tractor_ipc::{Addr, InheritError, Transport, UdsTransport, take_inherited};

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

/// M14: who is at the other end is known from the kernel, not from what the peer says.
#[tokio::test]
async fn a_pair_knows_where_it_comes_from() {
    let (transport, _theirs) = UdsTransport::pair().unwrap();
    assert_eq!(transport.addr(), Addr::Inherited);
    let peer = transport.peer().unwrap();
    assert_eq!(peer.pid, std::process::id());
}

#[tokio::test]
async fn what_is_no_stream_socket_is_refused() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let refused = UdsTransport::from_inherited(OwnedFd::from(reader));
    assert!(matches!(refused, Err(InheritError::NotAStreamSocket)));
    let (datagram, _other) = UnixDatagram::pair().unwrap();
    let refused = UdsTransport::from_inherited(OwnedFd::from(datagram));
    assert!(matches!(refused, Err(InheritError::NotAStreamSocket)));
    let unconnected = rustix::net::socket(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::STREAM,
        None,
    );
    let refused = UdsTransport::from_inherited(unconnected.unwrap());
    assert!(matches!(refused, Err(InheritError::NotConnected)));
}

#[test]
#[allow(unsafe_code, reason = "the function under test is unsafe to call")]
fn a_number_is_taken_only_if_it_is_a_descriptor() {
    use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
    for standard in [-1, 0, 1, 2] {
        // SAFETY: refused before anything is taken.
        let refused = unsafe { take_inherited(standard) };
        assert!(matches!(refused, Err(InheritError::Reserved(found)) if found == standard));
    }
    let free = 1_000_000;
    // SAFETY: no process here has that many descriptors, so there is nothing to be owned.
    let refused = unsafe { take_inherited(free) };
    assert!(matches!(refused, Err(InheritError::NotOpen(found)) if found == free));
    let (reader, _writer) = std::io::pipe().unwrap();
    fcntl_setfd(&reader, FdFlags::empty()).unwrap();
    let number = std::os::fd::IntoRawFd::into_raw_fd(reader);
    // SAFETY: just released by its only owner.
    let taken = unsafe { take_inherited(number) }.unwrap();
    assert_eq!(taken.as_raw_fd(), number);
    assert_eq!(fcntl_getfd(&taken).unwrap(), FdFlags::CLOEXEC);
}
