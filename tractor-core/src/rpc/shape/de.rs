//! The tracer as serde sees it: one method for each request, answered with a sample as postcard would answer with data.

use std::fmt;

use serde::Deserializer;
use serde::de::value::U32Deserializer;
use serde::de::{
    self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::graph::{Form, Kind};
use super::samples::{BYTE_LENGTHS, BYTES, TEXTS};
use super::tracer::{Refusal, Tracer};

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

/// Leaves: `method visitor-method type [samples]`.
macro_rules! leaves {
    ($($method:ident $visit:ident $type:ident [$($sample:expr),*];)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            const SAMPLES: &[$type] = &[$($sample),*];
            let sample = self.leaf::<V>(stringify!($type), SAMPLES.len())?;
            visitor.$visit(SAMPLES[sample])
        }
    )* };
}

/// What only a self-describing format can answer.
macro_rules! refused {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refusal> {
            Err(self.not_self_describing::<V>())
        }
    )* };
}

impl<'de> Deserializer<'de> for &mut Tracer {
    type Error = Refusal;

    fn is_human_readable(&self) -> bool {
        false
    }

    refused!(deserialize_any deserialize_ignored_any deserialize_identifier);

    leaves! {
        deserialize_bool visit_bool bool [false, true];
        deserialize_i8 visit_i8 i8 [0, 1, 2, 3, 10, 100, i8::MAX, -1, i8::MIN];
        deserialize_i16 visit_i16 i16 [0, 1, 2, 3, 10, 100, 1_000, i16::MAX, -1, i16::MIN];
        deserialize_i32 visit_i32 i32 [0, 1, 2, 3, 10, 100, 1_000, i32::MAX, -1, i32::MIN];
        deserialize_i64 visit_i64 i64 [0, 1, 2, 3, 10, 100, 1_000, i64::MAX, -1, i64::MIN];
        deserialize_i128 visit_i128 i128 [0, 1, 2, 3, 10, 100, 1_000, i128::MAX, -1, i128::MIN];
        deserialize_u8 visit_u8 u8 [0, 1, 2, 3, 10, 100, u8::MAX];
        deserialize_u16 visit_u16 u16 [0, 1, 2, 3, 10, 100, 1_000, u16::MAX];
        deserialize_u32 visit_u32 u32 [0, 1, 2, 3, 10, 100, 1_000, u32::MAX];
        deserialize_u64 visit_u64 u64 [0, 1, 2, 3, 10, 100, 1_000, u64::MAX];
        deserialize_u128 visit_u128 u128 [0, 1, 2, 3, 10, 100, 1_000, u128::MAX];
        deserialize_f32 visit_f32 f32 [0.0, 1.0, 0.5, 100.0, -1.0];
        deserialize_f64 visit_f64 f64 [0.0, 1.0, 0.5, 100.0, -1.0];
        deserialize_char visit_char char ['a', 'A', '0', '-'];
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let sample = self.leaf::<V>("str", TEXTS.len())?;
        visitor.visit_borrowed_str(TEXTS[sample])
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let sample = self.leaf::<V>("str", TEXTS.len())?;
        visitor.visit_str(TEXTS[sample])
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let sample = self.leaf::<V>("bytes", BYTE_LENGTHS.len())?;
        visitor.visit_borrowed_bytes(&BYTES[..BYTE_LENGTHS[sample]])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let sample = self.leaf::<V>("bytes", BYTE_LENGTHS.len())?;
        visitor.visit_bytes(&BYTES[..BYTE_LENGTHS[sample]])
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.leaf::<V>("()", 1)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.enter::<V>(Kind::Struct, Form::Unit, name, &[])?;
        let result = visitor.visit_unit();
        self.leave(result)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.enter::<V>(Kind::Struct, Form::Newtype, name, &[])?;
        let result = visitor.visit_newtype_struct(&mut *self);
        self.leave(result)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.enter::<V>(Kind::Struct, Form::Tuple(len), name, &[])?;
        let result = visitor.visit_seq(Parts::new(self, len));
        self.leave(result)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.enter::<V>(Kind::Struct, Form::Struct(fields), name, &[])?;
        let result = visitor.visit_seq(Parts::new(self, fields.len()));
        self.leave(result)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.enter::<V>(Kind::Tuple, Form::Tuple(len), "", &[])?;
        let result = visitor.visit_seq(Parts::new(self, len));
        self.leave(result)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let result = match self.enter::<V>(Kind::Option, Form::Unit, "", &[])? {
            0 => visitor.visit_none(),
            _ => visitor.visit_some(&mut *self),
        };
        self.leave(result)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let len = self.enter::<V>(Kind::Seq, Form::Unit, "", &[])?;
        let result = visitor.visit_seq(Elements {
            tracer: self,
            left: len,
        });
        self.leave(result)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let len = self.enter::<V>(Kind::Map, Form::Unit, "", &[])?;
        let result = visitor.visit_map(Elements {
            tracer: self,
            left: len,
        });
        self.leave(result)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let index = self.enter::<V>(Kind::Enum, Form::Unit, name, variants)?;
        let result = visitor.visit_enum(Variant {
            tracer: self,
            index,
        });
        self.leave(result)
    }
}

/// The fields of a struct, the members of a tuple: each is a place of its own.
struct Parts<'a> {
    tracer: &'a mut Tracer,
    next: usize,
    len: usize,
}

impl<'a> Parts<'a> {
    fn new(tracer: &'a mut Tracer, len: usize) -> Self {
        Self {
            tracer,
            next: 0,
            len,
        }
    }
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        if self.next == self.len {
            return Ok(None);
        }
        self.tracer.at(self.next);
        self.next += 1;
        seed.deserialize(&mut *self.tracer).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.len - self.next)
    }
}

/// The elements of a sequence or a map: they share one place, or one for keys and one for values.
struct Elements<'a> {
    tracer: &'a mut Tracer,
    left: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        MapAccess::next_key_seed(self, seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Elements<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.tracer.at(0);
        seed.deserialize(&mut *self.tracer).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        self.tracer.at(1);
        seed.deserialize(&mut *self.tracer)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// One variant of an enum.
struct Variant<'a> {
    tracer: &'a mut Tracer,
    index: usize,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Refusal;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Refusal> {
        let index = u32::try_from(self.index).map_err(de::Error::custom)?;
        let index: U32Deserializer<Refusal> = index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        self.tracer.form(Form::Unit);
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refusal> {
        self.tracer.form(Form::Newtype);
        self.tracer.at(0);
        seed.deserialize(self.tracer)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.tracer.form(Form::Tuple(len));
        visitor.visit_seq(Parts::new(self.tracer, len))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.tracer.form(Form::Struct(fields));
        visitor.visit_seq(Parts::new(self.tracer, fields.len()))
    }
}
