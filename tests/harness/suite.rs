use std::{fs, io::Read, path::PathBuf};

use flate2::read::MultiGzDecoder;
use niente_model::{Nanos, Span};
use niente_receive::{Format, Limits, Request};
use serde_json::Value;

/// A recorded request, and what Tempo 3.0.3 answered.
pub(crate) struct Case(pub(crate) Value);

impl Case {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    pub(crate) fn is(&self, field: &str) -> bool {
        self.0[field].as_bool().unwrap_or_default()
    }

    pub(crate) fn path_and_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.0["params"].as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            query.append_pair(name, &value);
        }
        let query = query.finish();
        let path = self.text("path");
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

fn lines(file: &str) -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance").join(file);
    let compressed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    MultiGzDecoder::new(&*compressed).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The recorded cases of the suite `webshop`.
pub(crate) fn cases() -> Vec<Case> {
    lines("webshop.cases.jsonl.gz").iter().map(|line| Case(serde_json::from_str(line).unwrap())).collect()
}

/// The suite's spans, as OTLP/JSON requests.
pub(crate) fn requests() -> Vec<String> {
    lines("webshop.spans.jsonl.gz")
}

/// The suite's spans.
pub(crate) fn spans() -> Vec<Span> {
    let limits = Limits::default();
    let decode = |line: String| {
        let request = Request::decode(line.as_bytes(), Format::Json, &limits).unwrap();
        request.check(&limits, Nanos::MAX, None).unwrap().spans
    };
    requests().into_iter().flat_map(decode).collect()
}
