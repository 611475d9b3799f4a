use std::{borrow::Cow, cell::Cell, fmt, marker::PhantomData, mem::size_of};

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor},
};

/// A message that can be read from a JSON object.
pub(super) trait Message: Default {
    /// For error messages: `a span`.
    const WHAT: &'static str;

    /// Reads the value of the field `name`, in lowerCamelCase or in snake_case, or [ignores](Field::ignore) it.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error>;
}

/// The bytes that messages may still take; a request of `{},{},{}` takes a hundred times its own length.
pub(super) struct Memory(Cell<Option<usize>>);

impl Memory {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Cell::new(Some(bytes)))
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.0.get().is_none()
    }

    fn take<E: de::Error>(&self, bytes: usize) -> Result<(), E> {
        self.0.set(self.0.get().and_then(|left| left.checked_sub(bytes)));
        if self.is_exhausted() { Err(E::custom("messages too large")) } else { Ok(()) }
    }
}

/// The value of one field, to be read once, as the type that it should have. All types take `null` for absent.
pub(super) struct Field<'a, A> {
    object: &'a mut A,
    memory: &'a Memory,
}

impl<'de, A: MapAccess<'de>> Field<'_, A> {
    pub(super) fn ignore(self) -> Result<(), A::Error> {
        self.object.next_value::<IgnoredAny>().map(|_| ())
    }

    pub(super) fn message<M: Message>(self) -> Result<Option<M>, A::Error> {
        self.object.next_value_seed(ReadMessage::new(self.memory))
    }

    pub(super) fn list<M: Message>(self) -> Result<Vec<M>, A::Error> {
        self.object.next_value_seed(ReadList { memory: self.memory, element: PhantomData })
    }

    pub(super) fn boolean(self) -> Result<Option<bool>, A::Error> {
        self.object.next_value()
    }

    pub(super) fn text(self) -> Result<Option<String>, A::Error> {
        Ok(self.object.next_value::<Option<Text>>()?.map(|text| text.0))
    }

    /// A double, also as the strings `NaN`, `Infinity` and `-Infinity`.
    pub(super) fn double(self) -> Result<Option<f64>, A::Error> {
        self.object.next_value::<Option<Number>>()?.map(Number::into_double).transpose()
    }

    pub(super) fn integer<T: TryFrom<i128>>(self) -> Result<Option<T>, A::Error> {
        let Some(number) = self.object.next_value::<Option<Number>>()? else { return Ok(None) };
        fit(number.into_integer()?).map(Some)
    }

    /// An enum's number or name.
    pub(super) fn enumeration<T: Into<i32>>(self, named: fn(&str) -> Option<T>) -> Result<Option<i32>, A::Error> {
        match self.object.next_value::<Option<Number>>()? {
            None => Ok(None),
            Some(Number::Text(name)) => match named(&name) {
                Some(value) => Ok(Some(value.into())),
                None => Err(A::Error::invalid_value(Unexpected::Str(&name), &"an enum's number or name")),
            },
            Some(number) => fit(number.into_integer()?).map(Some),
        }
    }

    /// Bytes in base64, of the standard or URL alphabet, padded or not.
    pub(super) fn base64(self) -> Result<Option<Vec<u8>>, A::Error> {
        const BASE64: GeneralPurpose = GeneralPurpose::new(
            &STANDARD,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        let Some(text) = self.text()? else { return Ok(None) };
        let standard = text.replace('-', "+").replace('_', "/");
        BASE64.decode(standard).map(Some).map_err(|error| A::Error::custom(format_args!("no base64: {error}")))
    }
}

fn fit<T: TryFrom<i128>, E: de::Error>(number: i128) -> Result<T, E> {
    let bits = 8 * size_of::<T>();
    T::try_from(number).map_err(|_| E::custom(format_args!("the number {number} does not fit into {bits} bits")))
}

/// Reads a message, or nothing from `null`.
pub(super) struct ReadMessage<'a, M> {
    memory: &'a Memory,
    message: PhantomData<M>,
}

impl<'a, M> ReadMessage<'a, M> {
    pub(super) fn new(memory: &'a Memory) -> Self {
        Self { memory, message: PhantomData }
    }
}

impl<'de, M: Message> DeserializeSeed<'de> for ReadMessage<'_, M> {
    type Value = Option<M>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<M>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, M: Message> Visitor<'de> for ReadMessage<'_, M> {
    type Value = Option<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (an object)", M::WHAT)
    }

    fn visit_unit<E>(self) -> Result<Option<M>, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Option<M>, A::Error> {
        let mut message = M::default();
        while let Some(Name(name)) = object.next_key()? {
            message.read(&name, Field { object: &mut object, memory: self.memory })?;
        }
        Ok(Some(message))
    }
}

/// Reads a list of messages; `null` in it is a message without fields.
struct ReadList<'a, M> {
    memory: &'a Memory,
    element: PhantomData<M>,
}

impl<'de, M: Message> DeserializeSeed<'de> for ReadList<'_, M> {
    type Value = Vec<M>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<M>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, M: Message> Visitor<'de> for ReadList<'_, M> {
    type Value = Vec<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list, each element {} (an object)", M::WHAT)
    }

    fn visit_unit<E>(self) -> Result<Vec<M>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Vec<M>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = array.next_element_seed(ReadMessage::<M>::new(self.memory))? {
            self.memory.take(size_of::<M>())?;
            list.push(element.unwrap_or_default());
        }
        Ok(list)
    }
}

/// A field's name, borrowed from the body where nothing in it is escaped.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        json.deserialize_str(NameVisitor)
    }
}

/// A string, with U+FFFD for halves of surrogate pairs: browsers send them where they cut a string at its length
/// limit, and no span is worth losing for that.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, text: &[u8]) -> Result<Text, E> {
                Ok(Text(String::from_utf8_lossy(text).into_owned()))
            }
        }

        // As bytes serde_json hands over what it would refuse as a string.
        json.deserialize_bytes(TextVisitor)
    }
}

/// A number with or without quotes, or other text in quotes.
enum Number {
    Integer(i128),
    Float(f64),
    Text(String),
}

impl Number {
    /// Of a double only if nothing is lost: `5.0` and `1e3` are integers in proto3's JSON mapping.
    fn into_integer<E: de::Error>(self) -> Result<i128, E> {
        match self {
            Number::Integer(number) => Ok(number),
            Number::Float(number) if number.fract() == 0.0 => Ok(number as i128), // beyond 128 bits it saturates
            Number::Float(number) => Err(E::invalid_value(Unexpected::Float(number), &"an integer")),
            Number::Text(text) => Err(E::invalid_value(Unexpected::Str(&text), &"an integer")),
        }
    }

    fn into_double<E: de::Error>(self) -> Result<f64, E> {
        match self {
            Number::Integer(number) => Ok(number as f64),
            Number::Float(number) => Ok(number),
            Number::Text(text) => Err(E::invalid_value(Unexpected::Str(&text), &"a number")),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number::Integer(number.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number::Integer(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number::Float(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Number, E> {
                Ok(match (text.parse(), text.parse()) {
                    (Ok(0), Ok(zero)) => Number::Float(zero), // zero may be negative
                    (Ok(number), _) => Number::Integer(number),
                    (Err(_), Ok(number)) => Number::Float(number),
                    (Err(_), Err(_)) => Number::Text(text.to_owned()),
                })
            }
        }

        json.deserialize_any(NumberVisitor)
    }
}
