//! What travels: types with encodings of their own, and what cannot be read at the other end.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tractor::prelude::*;
use tractor::{Error, OpenError, RecvError, Result, TreeId};
use tractor_core::testing::case;
use tractor_core::this_test;

/// Travels as hexadecimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hex(u64);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(de::Error::custom)
    }
}

/// Says what it is told plus one, its own types and others' alike.
#[tractor::context]
async fn count_up(
    ctx: Context<(Hex, TreeId), Hex, (Hex, std::net::IpAddr)>,
    start: Hex,
    tree: TreeId,
) -> std::result::Result<Hex, AnyError> {
    let ctx = ctx.started((start, tree)).await?;
    let mut stream = ctx.open_stream().await?;
    let mut last = start;
    while let Some(Hex(n)) = stream.next().await? {
        last = Hex(n + 1);
        stream.send((last, [127, 0, 0, 1].into())).await?;
    }
    Ok(last)
}

/// K6: types with an encoding of their own, and those of others, as arguments, values and results.
#[test]
fn a_type_with_its_own_encoding_crosses_processes() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("a", tractor::expose![count_up]).await?;
            let tree = tractor::current_tree()?;
            let call = count_up(Hex(0xff), tree);
            let last = portal.open_context(call, async |ctx, first| -> Result<_> {
                assert_eq!(first, (Hex(0xff), tree));
                let mut stream = ctx.open_stream().await?;
                stream.send(Hex(u64::MAX - 1)).await?;
                let said = stream.next().await?.unwrap();
                assert_eq!(said, (Hex(u64::MAX), [127, 0, 0, 1].into()));
                stream.stop();
                Ok(stream.ctx().result().await?)
            });
            assert_eq!(last.await?, Hex(u64::MAX));
            Ok(())
        })
        .await
    });
}

/// Does not let itself be read where it is 13.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Fragile(u8);

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            13 => Err(de::Error::custom("13 brings bad luck")),
            n => Ok(Self(n)),
        }
    }
}

#[tractor::rpc]
async fn pass(n: Fragile) -> Fragile {
    Fragile(n.0 + 1)
}

#[tractor::context]
async fn pass_on(ctx: Context<Fragile, Fragile, Fragile>, first: Fragile) {
    let ctx = ctx.started(Fragile(first.0 + 1)).await.unwrap();
    let mut stream = ctx.open_stream().await.unwrap();
    while let Ok(Some(Fragile(n))) = stream.next().await {
        stream.send(Fragile(n + 1)).await.unwrap();
    }
}

/// K7: what cannot be read (an argument, a first value, a value, a result) ends the dialog it belongs to, with a text
/// that names it, and the one beside it goes on.
#[test]
fn a_bad_payload_fails_its_own_dialog_alone() {
    case(this_test!(), async || {
        open_nursery(async |an| -> Result<_> {
            let portal = an.start_actor("a", tractor::expose![pass, pass_on]).await?;
            portal
                .open_context(pass_on(Fragile(0)), async |ctx, _| -> Result<_> {
                    let mut well = ctx.open_stream().await?;
                    for (n, what) in [(13, "the argument list"), (12, "the result")] {
                        match portal.run(pass(Fragile(n))).await {
                            Err(CallError::MsgType(error)) => {
                                assert!(error.message().starts_with(what), "{error}");
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    let block = async |_, _| -> Result<()> { unreachable!() };
                    let opened = portal.open_context(pass_on(Fragile(12)), block).await;
                    assert!(matches!(
                        opened,
                        Err(Error::Open(OpenError::MsgType { .. }))
                    ));
                    portal
                        .open_context(pass_on(Fragile(0)), async |ctx, _| -> Result<_> {
                            let mut ill = ctx.open_stream().await?;
                            ill.send(Fragile(12)).await?;
                            match ill.next().await {
                                Err(Error::Recv(RecvError::MsgType(error))) => {
                                    assert!(error.to_string().contains("value"), "{error}");
                                }
                                other => panic!("{other:?}"),
                            }
                            Ok(())
                        })
                        .await?;
                    well.send(Fragile(1)).await?;
                    assert_eq!(well.next().await?, Some(Fragile(2)));
                    Ok(())
                })
                .await?;
            assert_eq!(portal.run(pass(Fragile(1))).await?, Fragile(2));
            Ok(())
        })
        .await
    });
}
