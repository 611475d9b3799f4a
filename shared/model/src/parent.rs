use std::collections::HashMap;

use crate::SpanKind;

/// Finds the parents of a trace's spans by their IDs.
///
/// Mostly an ID is one span's. Zipkin's client and server sides of a call share one: then a server span hangs under
/// the client, and everything else under the server. A span is never its own parent.
#[derive(Debug, Default)]
pub struct Parents<'a> {
    by_id: HashMap<&'a [u8], SameId>,
}

/// The spans with one ID, as far as they matter: looking up a parent must not depend on how many there are.
#[derive(Debug, Default)]
struct SameId {
    count: usize,
    first: usize,
    clients: FirstTwo,
    servers: FirstTwo,
}

#[derive(Debug, Default)]
struct FirstTwo([Option<usize>; 2]);

impl FirstTwo {
    fn push(&mut self, span: usize) {
        if let Some(free) = self.0.iter_mut().find(|place| place.is_none()) {
            *free = Some(span);
        }
    }

    fn other_than(&self, span: usize) -> Option<usize> {
        self.0.iter().flatten().copied().find(|candidate| *candidate != span)
    }
}

impl<'a> Parents<'a> {
    /// Over a trace's spans, by their positions.
    pub fn new(spans: impl Iterator<Item = (&'a [u8], SpanKind)>) -> Self {
        let mut by_id: HashMap<&[u8], SameId> = HashMap::new();
        for (at, (id, kind)) in spans.enumerate() {
            let same = by_id.entry(id).or_insert_with(|| SameId { first: at, ..SameId::default() });
            same.count += 1;
            match kind {
                SpanKind::CLIENT => same.clients.push(at),
                SpanKind::SERVER => same.servers.push(at),
                _ => {}
            }
        }
        Self { by_id }
    }

    /// The position of the parent with this ID, for the span of this kind at this position.
    pub fn find(&self, parent_id: &[u8], kind: SpanKind, at: usize) -> Option<usize> {
        let same = self.by_id.get(parent_id)?;
        match (same.count, kind) {
            (1, _) => Some(same.first).filter(|parent| *parent != at),
            (_, SpanKind::SERVER) => same.clients.other_than(at),
            _ => same.servers.other_than(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_ids_are_told_apart_by_kind() {
        use SpanKind as Kind;
        let spans: [(&[u8], Kind); 6] = [
            (b"a", Kind::INTERNAL),
            (b"z", Kind::CLIENT),
            (b"z", Kind::SERVER),
            (b"i", Kind::INTERNAL),
            (b"i", Kind::SERVER),
            (b"i", Kind::INTERNAL),
        ];
        let parents = Parents::new(spans.into_iter());
        for (id, kind, at, expected) in [
            (&b"a"[..], Kind::CLIENT, 1, Some(0)),
            (b"a", Kind::INTERNAL, 0, None),
            (b"z", Kind::SERVER, 2, Some(1)),
            (b"z", Kind::INTERNAL, 5, Some(2)),
            (b"i", Kind::INTERNAL, 3, Some(4)),
            (b"i", Kind::SERVER, 4, None),
            (b"nobody", Kind::SERVER, 0, None),
        ] {
            assert_eq!(parents.find(id, kind, at), expected, "{id:?} {kind:?}");
        }
    }
}
