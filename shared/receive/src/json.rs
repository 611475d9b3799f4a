//! OTLP/JSON into protobuf's messages.
//!
//! opentelemetry-proto's own serde (`with-serde`) is stricter than senders are: `null` where a list or text is
//! expected, names of enums, `snake_case` and counts in quotes fail the request, and so does one ID that is not
//! hexadecimal. It is also laxer than it should be, taking `[]` for a request without spans. So the messages are read
//! here, by what [proto3's JSON mapping] and [OTLP's exceptions to it] promise: fields in either case, unknown ones
//! skipped, `null` for what is absent, numbers with and without quotes, enums by number and name.
//!
//! * `messages`: each message's fields, one `match` each.
//! * `fields`: how to read a field's value, whatever its type.
//!
//! [proto3's JSON mapping]: https://protobuf.dev/programming-guides/json/
//! [OTLP's exceptions to it]: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

mod fields;
mod messages;

use serde::de::DeserializeSeed;

use crate::{
    Error, Request,
    error::shortened,
    json::fields::{Memory, ReadMessage},
};

/// Reads a request whose messages take at most `message_bytes` of memory.
///
/// serde_json stops at 128 nested arrays and objects, so no input overflows the stack.
pub(crate) fn decode(body: &[u8], message_bytes: usize) -> Result<Request, Error> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Error::Json { reason: format!("not UTF-8 at byte {}", error.valid_up_to()) })?;
    let memory = Memory::new(message_bytes);
    let mut json = serde_json::Deserializer::from_str(text);
    let request = ReadMessage::new(&memory).deserialize(&mut json);
    let ended = request.and_then(|request| json.end().map(|()| request));
    match ended {
        Ok(Some(request)) => Ok(request),
        Ok(None) => Err(Error::Json { reason: "null instead of an object".to_owned() }),
        Err(_) if memory.is_exhausted() => Err(Error::MessagesTooLarge { limit: message_bytes }),
        Err(error) => {
            let reason =
                error.to_string().replace("recursion limit exceeded", "arrays and objects nested more than 128 deep");
            Err(Error::Json { reason: shortened(&reason) })
        }
    }
}
