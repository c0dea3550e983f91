//! Round trips, in whatever pieces; parts; bounds.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use tractor_ipc::limits::{
    ASSEMBLIES_MAX, CHAIN_MAX, FRAME_PAYLOAD_MAX, FUNCTION_NAME_MAX, MESSAGE_MAX,
    PAYLOAD_SHARED_MIN,
};
use tractor_ipc::msg::{CallKind, Cast, FunctionRef, HandshakeMsg, Msg, Overrun, PROTOCOL, Start};
use tractor_ipc::testing::greeting;
use tractor_ipc::wire::codec::{
    Decoder, EncodeError, Encoder, decode_fault, decode_handshake, encode_fault, encode_handshake,
};
use tractor_ipc::{ActorSlot, BoundError, Cid, LinkSide, Unit, WireError, fuzzing};

use crate::strategy;

/// A message and its payload.
type Message = (Msg, Bytes);

fn encode(messages: &[Message]) -> Vec<u8> {
    let mut encoder = Encoder::new(MESSAGE_MAX, true);
    let mut out = Vec::new();
    for (msg, payload) in messages {
        encoder.encode(&mut out, msg, payload).unwrap();
    }
    out
}

fn decode(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Vec<Message>, WireError> {
    let mut decoder = Decoder::new(MESSAGE_MAX);
    let mut messages = Vec::new();
    for piece in pieces {
        decoder.room().extend_from_slice(piece.as_ref());
        while let Some(message) = decoder.decode()? {
            messages.push(message);
        }
    }
    assert_eq!(decoder.unfinished(), 0, "bytes left over");
    Ok(messages)
}

/// The frames of a stream, one by one.
fn frames(mut stream: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some((length, _)) = stream.split_first_chunk() {
        let (frame, rest) = stream.split_at(4 + u32::from_le_bytes(*length) as usize);
        frames.push(frame.to_vec());
        stream = rest;
    }
    frames
}

fn value(slot: u32) -> Msg {
    Msg::Yield {
        cid: Cid::new(LinkSide::Dialler, slot, 1),
    }
}

proptest! {
    /// `WIRE-2`.
    #[test]
    fn any_chunking_gives_the_same_messages(
        messages in vec(strategy::message(200_000), 1..8),
        cuts in vec(1..5000usize, 1..20),
    ) {
        let stream = encode(&messages);
        let mut rest = &stream[..];
        let mut pieces = Vec::new();
        for size in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, tail) = rest.split_at(rest.len().min(*size));
            pieces.push(piece);
            rest = tail;
        }
        prop_assert_eq!(decode(pieces).unwrap(), messages);
    }

    /// `WIRE-2`: byte by byte, which meets every boundary there is.
    #[test]
    fn byte_by_byte_gives_the_same_messages(messages in vec(strategy::message(300), 1..6)) {
        let stream = encode(&messages);
        prop_assert_eq!(decode(stream.chunks(1)).unwrap(), messages);
    }

    /// `WIRE-3`: parts of different messages may come mixed; each message is complete with its last part.
    #[test]
    fn parts_of_several_messages_may_interleave(
        messages in vec((strategy::cid(), 1..5usize, any::<u8>()), 2..10),
        choices in vec(any::<prop::sample::Index>(), 64),
    ) {
        let messages: Vec<Message> = messages
            .into_iter()
            .map(|(cid, parts, byte)| {
                let payload = vec![byte; parts * FRAME_PAYLOAD_MAX + usize::from(byte)];
                (Msg::Return { cid }, payload.into())
            })
            .collect();
        let mut encoder = Encoder::new(MESSAGE_MAX, true);
        let mut queues: Vec<_> = messages
            .iter()
            .map(|message| {
                let mut out = Vec::new();
                encoder.encode(&mut out, &message.0, &message.1).unwrap();
                (frames(&out).into_iter(), message.clone())
            })
            .collect();
        let (mut mixed, mut expected) = (Vec::new(), Vec::new());
        for choice in choices.iter().cycle() {
            if queues.is_empty() {
                break;
            }
            let index = choice.index(queues.len());
            let (parts, _) = &mut queues[index];
            mixed.push(parts.next().expect("finished queues are removed"));
            if parts.len() == 0 {
                expected.push(queues.remove(index).1);
            }
        }
        prop_assert_eq!(decode(mixed).unwrap(), expected);
    }

    /// `WIRE-2`: whatever comes, no panic, no hang, the same in any chunking.
    #[test]
    fn garbage_is_refused_alike_however_it_is_cut(data in vec(any::<u8>(), 0..2000)) {
        fuzzing::frame(&data);
        fuzzing::msg(&data);
        fuzzing::hello(&data);
        fuzzing::fault(&data);
    }

    /// `WIRE-2`: good streams with a few bytes changed, cut off or doubled come further than garbage does.
    #[test]
    fn damaged_streams_are_refused_alike_however_they_are_cut(
        messages in vec(strategy::message(70_000), 1..4),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
    ) {
        let mut stream = vec![61];
        stream.extend(encode(&messages));
        for (index, byte) in damage {
            let index = index.index(stream.len());
            stream[index] = byte;
        }
        stream.truncate(1 + end.index(stream.len()));
        fuzzing::frame(&stream);
        fuzzing::msg(&stream[6.min(stream.len())..]);
    }

    #[test]
    fn handshake_messages_read_back(msg in strategy::handshake()) {
        let frame = encode_handshake(&msg).unwrap();
        prop_assert_eq!(decode_handshake(&frame[4..]).unwrap(), msg.clone());
        for cut in 0..frame.len() - 4 {
            prop_assert!(decode_handshake(&frame[4..4 + cut]).is_err());
        }
        let longer = [&frame[4..], &[0]].concat();
        prop_assert!(decode_handshake(&longer).is_err());
        fuzzing::hello(&frame);
    }

    #[test]
    fn faults_read_back(fault in strategy::fault()) {
        let bytes = encode_fault(&fault);
        prop_assert_eq!(decode_fault(&bytes).unwrap(), fault);
        prop_assert!(decode_fault(&bytes[..bytes.len() - 1]).is_err());
    }
}

/// What a later version adds behind its greeting must not keep us from answering it.
#[test]
fn a_newer_greeting_may_be_longer() {
    let (mut hello, _) = greeting();
    hello.versions.max = PROTOCOL.max + 1;
    let msg = HandshakeMsg::Hello(Box::new(hello));
    let mut frame = encode_handshake(&msg).unwrap();
    frame.extend_from_slice(b"fields of tomorrow");
    assert_eq!(decode_handshake(&frame[4..]), Ok(msg));
}

/// Small payloads do not pin the buffer they came in, large ones are not copied.
#[test]
fn only_large_payloads_share_the_read_buffer() {
    for (size, shared) in [(PAYLOAD_SHARED_MIN - 1, false), (PAYLOAD_SHARED_MIN, true)] {
        let stream = encode(&[(value(1), vec![1; size].into())]);
        let mut decoder = Decoder::new(MESSAGE_MAX);
        let room = decoder.room();
        room.extend_from_slice(&stream);
        let buffer = room.as_ptr_range();
        let (_, payload) = decoder.decode().unwrap().unwrap();
        assert_eq!(buffer.contains(&payload.as_ptr()), shared, "{size}");
    }
}

/// `WIRE-4`.
#[test]
fn a_message_that_cannot_be_sent_leaves_nothing_behind() {
    let limit = 100_000;
    let mut out = b"before".to_vec();
    let mut check = |parts, msg: &Msg, size: usize, expected: Option<EncodeError>| {
        let mut encoder = Encoder::new(limit, parts);
        let result = encoder.encode(&mut out, msg, &vec![0; size]).map(drop);
        assert_eq!(result, expected.map_or(Ok(()), Err), "{size}");
        if result.is_err() {
            assert_eq!(out, b"before");
        }
        out.truncate(6);
    };
    let head = encode(&[(value(1), Bytes::new())]).len() - 5;
    check(true, &value(1), limit - head, None);
    let size = limit + 1;
    let too_large = EncodeError::TooLarge { size, limit };
    check(true, &value(1), limit - head + 1, Some(too_large.clone()));
    check(true, &value(1), limit + 1, Some(too_large));
    check(false, &value(1), FRAME_PAYLOAD_MAX, None);
    let (size, limit) = (FRAME_PAYLOAD_MAX + 1, FRAME_PAYLOAD_MAX);
    check(
        false,
        &value(1),
        size,
        Some(EncodeError::TooLarge { size, limit }),
    );
    let len = FUNCTION_NAME_MAX + 1;
    let cast = Msg::Cast(Box::new(Cast {
        actor: ActorSlot::MAIN,
        function: FunctionRef::Named("x".repeat(len).into()),
        signature: None,
        trace: None,
    }));
    check(
        true,
        &cast,
        3,
        Some(BoundError::FunctionName { len }.into()),
    );
    let len = CHAIN_MAX + 1;
    let start = Msg::Start(Box::new(Start {
        cid: Cid::new(LinkSide::Dialler, 0, 0),
        actor: ActorSlot::MAIN,
        function: FunctionRef::Method(0),
        kind: CallKind::Unary,
        signature: None,
        budget: None,
        chain: vec![greeting().0.identity; len],
        overrun: Overrun::Wait,
        window: 0,
        trace: None,
    }));
    check(true, &start, 3, Some(BoundError::Chain { len }.into()));
}

/// `WIRE-3`.
#[test]
fn messages_in_parts_are_bounded_in_number_and_size() {
    let mut encoder = Encoder::new(MESSAGE_MAX, true);
    let payload = vec![0; FRAME_PAYLOAD_MAX + 1];
    let first_parts: Vec<_> = (0..=ASSEMBLIES_MAX as u32)
        .map(|slot| {
            let mut out = Vec::new();
            encoder.encode(&mut out, &value(slot), &payload).unwrap();
            frames(&out).remove(0)
        })
        .collect();
    let limit = ASSEMBLIES_MAX;
    assert_eq!(decode(&first_parts), Err(WireError::TooManyParts { limit }));
    let twice = [&first_parts[3], &first_parts[3]];
    assert_eq!(decode(twice), Err(WireError::RepeatedPart { number: 3 }));

    let long = encode(&[(value(1), vec![0; 200_000].into())]);
    let parts = frames(&long);
    assert_eq!(
        decode(&parts[1..]),
        Err(WireError::UnknownPart { number: 0 })
    );
    let mut decoder = Decoder::new(150_000);
    decoder.room().extend_from_slice(&long);
    let refused = decoder.decode();
    let oversize = matches!(
        refused,
        Err(WireError::Oversize {
            what: Unit::Message,
            limit: 150_000,
            ..
        })
    );
    assert!(oversize, "{refused:?}");
}
