//! A live link and a live handshake fed with what no peer should send: the right error, on that link alone.

use tokio::io::AsyncWriteExt;
use tractor_ipc::limits::{FRAME_MAX, FRAME_PAYLOAD_MAX, HANDSHAKE_FRAME_MAX, MESSAGE_MAX};
use tractor_ipc::msg::{HandshakeMsg, Msg, Ping, RefusedReason, VersionRange};
use tractor_ipc::testing::greeting;
use tractor_ipc::transport::memory;
use tractor_ipc::wire::codec::{Encoder, decode_handshake, encode_handshake};
use tractor_ipc::{
    ConnectError, Expect, HandshakeError, Lane, Link, LinkLimits, RecvError, Transport, Unit,
    WireError, accept,
};

/// Handshakes as a child with `bytes` behind the greeting, then goes away: what the parent's link says.
async fn link_after(bytes: &[u8]) -> (Link, Result<usize, RecvError>) {
    let (ours, theirs) = memory::pair(1 << 20);
    let (hello, expect) = greeting();
    let (_reader, mut writer) = (Box::new(ours) as Box<dyn Transport>).split();
    let hello = encode_handshake(&HandshakeMsg::Hello(Box::new(hello))).unwrap();
    writer.write_all(&hello).await.unwrap();
    let mut link = accept(Box::new(theirs), expect, LinkLimits::default())
        .await
        .unwrap();
    writer.write_all(bytes).await.unwrap();
    writer.shutdown().await.unwrap();
    let mut messages = 0;
    let end = loop {
        match link.receiver.recv().await {
            Ok(Some(_)) => messages += 1,
            Ok(None) => break Ok(messages),
            Err(error) => break Err(error),
        }
    };
    (link, end)
}

/// What the parent says to a child whose first bytes are these.
async fn handshake_with(bytes: &[u8], expect: Expect) -> ConnectError {
    let (ours, theirs) = memory::pair(1 << 20);
    let (_reader, mut writer) = (Box::new(ours) as Box<dyn Transport>).split();
    writer.write_all(bytes).await.unwrap();
    writer.shutdown().await.unwrap();
    accept(Box::new(theirs), expect, LinkLimits::default())
        .await
        .unwrap_err()
}

fn ping() -> Vec<u8> {
    let mut out = Vec::new();
    let ping = Msg::Ping(Ping { nonce: 7 });
    Encoder::new(MESSAGE_MAX, true)
        .encode(&mut out, &ping, &[])
        .unwrap();
    out
}

/// `WIRE-1`, `WIRE-2`: and what came before it is still handed out.
#[tokio::test]
async fn bad_frames_end_the_link_with_the_right_error() {
    let oversize = WireError::Oversize {
        what: Unit::Frame,
        size: u64::from(u32::MAX),
        limit: FRAME_MAX as u64,
    };
    let stray = WireError::StrayPayload {
        message: "Ping",
        size: 1,
    };
    let mut ping_and_more = ping();
    ping_and_more[0] += 1;
    ping_and_more.push(0);
    let long_payload = {
        let mut frame = ((1 + 2 + FRAME_PAYLOAD_MAX + 1) as u32)
            .to_le_bytes()
            .to_vec();
        frame.extend_from_slice(&[0, 3, 0]);
        frame.resize(frame.len() + FRAME_PAYLOAD_MAX + 1, 0);
        frame
    };
    let too_long = WireError::Oversize {
        what: Unit::Frame,
        size: FRAME_PAYLOAD_MAX as u64 + 1,
        limit: FRAME_PAYLOAD_MAX as u64,
    };
    let cases: [(&[u8], WireError); 7] = [
        (&[0xff; 100], oversize),
        (&[0; 100], WireError::EmptyFrame),
        (&[2, 0, 0, 0, 0x80, 9], WireError::BadFlags(0x80)),
        (
            &[6, 0, 0, 0, 3, 5, 0, 0, 0, 1],
            WireError::UnknownPart { number: 5 },
        ),
        (&ping_and_more, stray),
        (&long_payload, too_long),
        // Two hundred messages are known; the two hundredth and first is none.
        (&[3, 0, 0, 0, 0, 0xc8, 0x01], {
            let cause = postcard::Error::SerdeDeCustom;
            WireError::Undecodable {
                what: Unit::Head,
                cause,
            }
        }),
    ];
    for (bytes, expected) in cases {
        let stream = [&ping()[..], bytes].concat();
        let (mut link, end) = link_after(&stream).await;
        match end {
            Err(RecvError::Wire(error)) => assert_eq!(error, expected),
            other => panic!("{other:?} instead of {expected}"),
        }
        assert_eq!(link.receiver.statistics().messages, 1);
        assert!(matches!(link.receiver.try_recv(), Err(RecvError::Wire(_))));
        let answer = link.sender.push(Lane::Data, &Msg::Bye, &[]);
        assert!(
            answer.is_ok(),
            "what is bad about the peer's words may still be said"
        );
    }
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_frame_is_truncated() {
    let stream = [ping(), ping()].concat();
    let frame = stream.len() / 2;
    for cut in 0..=stream.len() {
        let (_, end) = link_after(&stream[..cut]).await;
        match (end, cut % frame) {
            (Ok(messages), 0) => assert_eq!(messages, cut / frame),
            (Err(RecvError::Truncated { received }), rest) => assert_eq!(received, rest),
            (other, _) => panic!("{cut}: {other:?}"),
        }
    }
}

/// L6: what does not greet as the protocol has it is refused, each with its reason.
#[tokio::test]
async fn bad_greetings_make_no_link() {
    let (hello, expect) = greeting();
    let frame = |msg| encode_handshake(&msg).unwrap();
    let good = frame(HandshakeMsg::Hello(Box::new(hello)));
    for cut in 0..good.len() {
        let error = handshake_with(&good[..cut], expect.clone()).await;
        assert!(matches!(error, ConnectError::Closed), "{cut}: {error}");
    }
    let size = HANDSHAKE_FRAME_MAX as u32 + 1;
    let error = handshake_with(&size.to_le_bytes(), expect.clone()).await;
    let oversize = WireError::Oversize {
        what: Unit::HandshakeFrame,
        size: u64::from(size),
        limit: HANDSHAKE_FRAME_MAX as u64,
    };
    assert!(
        matches!(&error, ConnectError::Wire(found) if *found == oversize),
        "{error}"
    );
    let garbage = [&[200, 0, 0, 0][..], &[0xa5; 200]].concat();
    let error = handshake_with(&garbage, expect.clone()).await;
    let what = Unit::HandshakeFrame;
    assert!(
        matches!(&error, ConnectError::Wire(WireError::Undecodable { what: found, .. })
            if *found == what),
        "{error}"
    );
    let refusal = tractor_ipc::msg::Refused {
        reason: RefusedReason::Stopping,
    };
    let error = handshake_with(&frame(HandshakeMsg::Refused(refusal)), expect).await;
    assert!(
        matches!(
            error,
            ConnectError::Handshake(HandshakeError::OutOfPhase { got: "Refused", .. })
        ),
        "{error}"
    );
}

/// A dialler of another version is told which ones are spoken here.
#[tokio::test]
async fn a_wrong_version_is_answered() {
    use tokio::io::AsyncReadExt;
    let (ours, theirs) = memory::pair(1 << 20);
    let (mut hello, expect) = greeting();
    let spoken = expect.versions;
    hello.versions = VersionRange { min: 7, max: 9 };
    let (mut reader, mut writer) = (Box::new(ours) as Box<dyn Transport>).split();
    let hello = encode_handshake(&HandshakeMsg::Hello(Box::new(hello))).unwrap();
    writer.write_all(&hello).await.unwrap();
    let error = accept(Box::new(theirs), expect, LinkLimits::default())
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        ConnectError::Handshake(HandshakeError::Rejected {
            reason: RefusedReason::Version { .. },
            ..
        })
    ));
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).await.unwrap();
    match decode_handshake(&answer[4..]) {
        Ok(HandshakeMsg::Refused(refused)) => {
            assert_eq!(refused.reason, RefusedReason::Version { spoken });
        }
        other => panic!("{other:?}"),
    }
}
