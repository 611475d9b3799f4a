use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value},
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Event, Link, SpanKind},
        status::StatusCode,
    },
};
use serde::de::MapAccess;

use super::fields::{Field, Message};
use crate::{Refusal, Refusals, Request};

/// A message with the spans under it that had to be left out.
#[derive(Default)]
struct Sifted<M> {
    message: M,
    refused: Refusals,
}

/// A message with the reason why its span must be refused, if there is one.
#[derive(Default)]
struct Refusable<M> {
    message: M,
    refusal: Option<Refusal>,
}

/// An ID's bytes. What is no hexadecimal is refused later, with its span: the rest of the request is sound.
fn id<'de, A: MapAccess<'de>>(
    refusal: &mut Option<Refusal>,
    id: &'static str,
    field: Field<'_, A>,
) -> Result<Vec<u8>, A::Error> {
    let digits = field.text()?.unwrap_or_default();
    Ok(from_hex(id, &digits).unwrap_or_else(|reason| {
        refusal.get_or_insert(reason);
        Vec::new()
    }))
}

fn from_hex(id: &'static str, digits: &str) -> Result<Vec<u8>, Refusal> {
    hex::decode(digits).map_err(|_| {
        match digits.chars().zip(1..).find(|(character, _)| !character.is_ascii_hexdigit()) {
            Some((character, position)) => Refusal::NotHex { id, character, position },
            None => Refusal::HalfByte { id, digits: digits.len() },
        }
    })
}

impl Message for Request {
    const WHAT: &'static str = "an export request";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "resourceSpans" | "resource_spans" => {
                for Sifted { message, refused } in field.list()? {
                    self.message.resource_spans.push(message);
                    self.refused.merge(refused);
                }
            }
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for Sifted<ResourceSpans> {
    const WHAT: &'static str = "the spans of a resource";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "resource" => self.message.resource = field.message()?,
            "scopeSpans" | "scope_spans" => {
                for Sifted { message, refused } in field.list()? {
                    self.message.scope_spans.push(message);
                    self.refused.merge(refused);
                }
            }
            "schemaUrl" | "schema_url" => self.message.schema_url = field.text()?.unwrap_or_default(),
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for Sifted<ScopeSpans> {
    const WHAT: &'static str = "the spans of a scope";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "scope" => self.message.scope = field.message()?,
            "spans" => {
                for Refusable { message, refusal } in field.list()? {
                    match refusal {
                        None => self.message.spans.push(message),
                        Some(reason) => self.refused.count(reason, 1),
                    }
                }
            }
            "schemaUrl" | "schema_url" => self.message.schema_url = field.text()?.unwrap_or_default(),
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for Resource {
    const WHAT: &'static str = "a resource";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "attributes" => self.attributes = field.list()?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                self.dropped_attributes_count = field.integer()?.unwrap_or_default();
            }
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for InstrumentationScope {
    const WHAT: &'static str = "a scope";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "name" => self.name = field.text()?.unwrap_or_default(),
            "version" => self.version = field.text()?.unwrap_or_default(),
            "attributes" => self.attributes = field.list()?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                self.dropped_attributes_count = field.integer()?.unwrap_or_default();
            }
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for Refusable<Span> {
    const WHAT: &'static str = "a span";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        let span = &mut self.message;
        match name {
            "traceId" | "trace_id" => span.trace_id = id(&mut self.refusal, "trace ID", field)?,
            "spanId" | "span_id" => span.span_id = id(&mut self.refusal, "span ID", field)?,
            "parentSpanId" | "parent_span_id" => span.parent_span_id = id(&mut self.refusal, "parent span ID", field)?,
            "traceState" | "trace_state" => span.trace_state = field.text()?.unwrap_or_default(),
            "flags" => span.flags = field.integer()?.unwrap_or_default(),
            "name" => span.name = field.text()?.unwrap_or_default(),
            "kind" => span.kind = field.enumeration(SpanKind::from_str_name)?.unwrap_or_default(),
            "startTimeUnixNano" | "start_time_unix_nano" => {
                span.start_time_unix_nano = field.integer()?.unwrap_or_default();
            }
            "endTimeUnixNano" | "end_time_unix_nano" => span.end_time_unix_nano = field.integer()?.unwrap_or_default(),
            "attributes" => span.attributes = field.list()?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                span.dropped_attributes_count = field.integer()?.unwrap_or_default();
            }
            "events" => span.events = field.list()?,
            "droppedEventsCount" | "dropped_events_count" => {
                span.dropped_events_count = field.integer()?.unwrap_or_default();
            }
            "links" => {
                for Refusable { message, refusal } in field.list()? {
                    span.links.push(message);
                    self.refusal = self.refusal.take().or(refusal);
                }
            }
            "droppedLinksCount" | "dropped_links_count" => {
                span.dropped_links_count = field.integer()?.unwrap_or_default();
            }
            "status" => span.status = field.message()?,
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for Event {
    const WHAT: &'static str = "an event";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "timeUnixNano" | "time_unix_nano" => self.time_unix_nano = field.integer()?.unwrap_or_default(),
            "name" => self.name = field.text()?.unwrap_or_default(),
            "attributes" => self.attributes = field.list()?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                self.dropped_attributes_count = field.integer()?.unwrap_or_default();
            }
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for Refusable<Link> {
    const WHAT: &'static str = "a link";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        let link = &mut self.message;
        match name {
            "traceId" | "trace_id" => link.trace_id = id(&mut self.refusal, "link's trace ID", field)?,
            "spanId" | "span_id" => link.span_id = id(&mut self.refusal, "link's span ID", field)?,
            "traceState" | "trace_state" => link.trace_state = field.text()?.unwrap_or_default(),
            "attributes" => link.attributes = field.list()?,
            "droppedAttributesCount" | "dropped_attributes_count" => {
                link.dropped_attributes_count = field.integer()?.unwrap_or_default();
            }
            "flags" => link.flags = field.integer()?.unwrap_or_default(),
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for Status {
    const WHAT: &'static str = "a status";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "message" => self.message = field.text()?.unwrap_or_default(),
            "code" => self.code = field.enumeration(StatusCode::from_str_name)?.unwrap_or_default(),
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for KeyValue {
    const WHAT: &'static str = "a key with its value";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "key" => self.key = field.text()?.unwrap_or_default(),
            "value" => self.value = field.message()?,
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for AnyValue {
    const WHAT: &'static str = "a value";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        let value = match name {
            "stringValue" | "string_value" => field.text()?.map(Value::StringValue),
            "boolValue" | "bool_value" => field.boolean()?.map(Value::BoolValue),
            "intValue" | "int_value" => field.integer()?.map(Value::IntValue),
            "doubleValue" | "double_value" => field.double()?.map(Value::DoubleValue),
            "arrayValue" | "array_value" => field.message()?.map(Value::ArrayValue),
            "kvlistValue" | "kvlist_value" => field.message()?.map(Value::KvlistValue),
            "bytesValue" | "bytes_value" => field.base64()?.map(Value::BytesValue),
            _ => return field.ignore(),
        };
        self.value = value.or(self.value.take());
        Ok(())
    }
}

impl Message for ArrayValue {
    const WHAT: &'static str = "an array";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "values" => self.values = field.list()?,
            _ => field.ignore()?,
        }
        Ok(())
    }
}

impl Message for KeyValueList {
    const WHAT: &'static str = "a list of keys with values";

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, field: Field<'_, A>) -> Result<(), A::Error> {
        match name {
            "values" => self.values = field.list()?,
            _ => field.ignore()?,
        }
        Ok(())
    }
}
