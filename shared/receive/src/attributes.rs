use std::sync::Arc;

use niente_model::{Attributes, Key, Value};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};

use crate::spans::{Reader, dropped};

/// The attribute that tells which others of its list were cut: an array of their keys.
pub const TRUNCATED: &str = "niente.truncated";

impl Reader<'_> {
    /// The attributes, and how many are dropped in all, by the sender and here.
    pub(crate) fn attributes(&mut self, list: Vec<KeyValue>, dropped_by_sender: u32) -> (Attributes, u32) {
        let surplus = list.len().saturating_sub(self.limits.attributes);
        let mut kept: Vec<(Key, Value)> = Vec::with_capacity(list.len() - surplus);
        let mut cut: Vec<String> = Vec::new();
        let mut long_keys = 0;
        for KeyValue { key, value, .. } in list.into_iter().take(self.limits.attributes) {
            if key.len() > self.limits.key_bytes {
                long_keys += 1;
                continue;
            }
            let mut room = Room { bytes: self.limits.value_bytes, levels: self.limits.value_depth, overflowed: false };
            let value = room.value(value);
            if room.overflowed {
                cut.push(key.clone());
            }
            kept.push((self.shared(key), value));
        }
        self.warnings.cut_values += cut.len();
        self.warnings.surplus_attributes += surplus;
        self.warnings.long_keys += long_keys;
        if !cut.is_empty() {
            let mark = mark(&kept, cut);
            kept.push((self.shared(TRUNCATED.to_owned()), mark));
        }
        (kept.into_iter().collect(), dropped(dropped_by_sender, surplus + long_keys))
    }

    fn shared(&mut self, key: String) -> Key {
        if let Some(known) = self.keys.get(key.as_str()) {
            return Arc::clone(known);
        }
        let key = Key::from(key);
        self.keys.insert(Arc::clone(&key));
        key
    }
}

/// The array of the keys that were cut, here or before the span last left a Niente.
fn mark(attributes: &[(Key, Value)], cut: Vec<String>) -> Value {
    let mut keys = match attributes.iter().rfind(|(key, _)| &**key == TRUNCATED) {
        Some((_, Value::Array(earlier))) => earlier.clone(),
        _ => Vec::new(),
    };
    let earlier = keys.len();
    keys.extend(cut.into_iter().map(Value::Str).filter(|key| !keys[..earlier].contains(key)).collect::<Vec<_>>());
    Value::Array(keys)
}

/// What is left for one attribute's value.
struct Room {
    bytes: usize,
    levels: usize,
    /// Whether something didn't fit.
    overflowed: bool,
}

impl Room {
    /// What an element of an array or map takes apart from its texts, so that a million empty ones don't count 0.
    const ELEMENT: usize = 8;

    fn value(&mut self, value: Option<AnyValue>) -> Value {
        use any_value::Value as Wire;
        match value.and_then(|value| value.value) {
            // What OTLP asks for: indexes into a profile's table of strings have no meaning in a trace.
            None | Some(Wire::StringValueStrindex(_)) => Value::Empty,
            Some(Wire::StringValue(text)) => Value::Str(self.text(text)),
            Some(Wire::BoolValue(truth)) => Value::Bool(truth),
            Some(Wire::IntValue(number)) => Value::Int(number),
            Some(Wire::DoubleValue(number)) => Value::Float(number),
            Some(Wire::BytesValue(bytes)) => Value::Bytes(self.bytes(bytes)),
            Some(Wire::ArrayValue(array)) => {
                self.nested(|room| Value::Array(room.elements(array.values, |_| 0, Room::element)))
            }
            Some(Wire::KvlistValue(map)) => {
                self.nested(|room| Value::Map(room.elements(map.values, |pair| pair.key.len(), Room::pair)))
            }
        }
    }

    fn element(&mut self, element: AnyValue) -> Value {
        self.value(Some(element))
    }

    fn pair(&mut self, pair: KeyValue) -> (String, Value) {
        (pair.key, self.value(pair.value))
    }

    fn nested(&mut self, content: impl FnOnce(&mut Room) -> Value) -> Value {
        if self.levels == 0 {
            self.overflowed = true;
            return Value::Empty;
        }
        self.levels -= 1;
        let value = content(self);
        self.levels += 1;
        value
    }

    /// The first elements, as many as fit; `key_bytes` says what an element takes before its value.
    fn elements<W, V>(
        &mut self,
        elements: Vec<W>,
        key_bytes: impl Fn(&W) -> usize,
        read: impl Fn(&mut Room, W) -> V,
    ) -> Vec<V> {
        let mut kept = Vec::with_capacity(elements.len().min(self.bytes / Self::ELEMENT));
        for element in elements {
            let Some(left) = self.bytes.checked_sub(Self::ELEMENT + key_bytes(&element)) else {
                self.overflowed = true;
                break;
            };
            self.bytes = left;
            kept.push(read(self, element));
        }
        kept
    }

    fn text(&mut self, mut text: String) -> String {
        if text.len() > self.bytes {
            let end = (0..=self.bytes).rfind(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            text.shrink_to_fit();
            self.overflowed = true;
        }
        self.bytes -= text.len();
        text
    }

    fn bytes(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if bytes.len() > self.bytes {
            bytes.truncate(self.bytes);
            bytes.shrink_to_fit();
            self.overflowed = true;
        }
        self.bytes -= bytes.len();
        bytes
    }
}
