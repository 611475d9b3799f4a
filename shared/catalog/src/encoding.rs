//! A day's catalog as bytes: five bytes of header, then Protocol Buffers in zstd.
//!
//! The header is `NDAY`'s four bytes and one for the least version that a reader has to know. Names of services and
//! attributes are written once, sets of them likewise: thousands of blocks have the same few dozen. New fields are
//! ignored by older readers; what they must not ignore raises the version.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Read,
    sync::Arc,
};

use bytes::Bytes;
use niente_block::{AttributeScope, KeyRange};
use niente_model::{Day, Nanos, TimeRange, TraceKey};
use prost::Message;

use crate::{Block, ContentHash, DayCatalog, Hours, IndexPart, L0Name, Name, ObjectId};

const MAGIC: &[u8; 4] = b"NDAY";
/// The version that this build writes, and the newest that it reads.
const VERSION: u8 = 1;
/// A catalog larger than this is damaged: a million blocks a day have less.
const MAX_DECODED: u64 = 256 << 20;

/// Why bytes are no catalog that this build reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It was written by a newer Niente.
    #[error("it needs a reader of format version {0}, this one knows versions up to {VERSION}: upgrade Niente")]
    TooNew(u8),
    /// It is something else, or was changed.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

#[derive(Clone, PartialEq, Message)]
struct DayMessage {
    /// Names of services and attributes.
    #[prost(string, repeated, tag = "1")]
    strings: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    sets: Vec<SetMessage>,
    #[prost(message, repeated, tag = "3")]
    blocks: Vec<BlockMessage>,
    #[prost(message, repeated, tag = "4")]
    replaced: Vec<ReplacedMessage>,
    #[prost(message, repeated, tag = "5")]
    index: Vec<IndexMessage>,
}

/// Positions in `strings`, ascending, each as the distance from the one before; of attributes, four times the position
/// plus the scope.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
struct SetMessage {
    #[prost(uint32, repeated, tag = "1")]
    members: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct BlockMessage {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(uint32, tag = "2")]
    level: u32,
    #[prost(uint32, tag = "3")]
    first_hour: u32,
    #[prost(uint32, tag = "4")]
    last_hour: u32,
    #[prost(uint64, tag = "5")]
    rows: u64,
    #[prost(uint64, tag = "6")]
    bytes: u64,
    #[prost(uint64, tag = "7")]
    tail: u64,
    /// Nanoseconds since the day began.
    #[prost(uint64, tag = "8")]
    start: u64,
    /// Nanoseconds from the first start to the last end.
    #[prost(uint64, tag = "9")]
    length: u64,
    #[prost(fixed64, tag = "10")]
    first_key: u64,
    #[prost(fixed64, tag = "11")]
    last_key: u64,
    #[prost(bool, tag = "12")]
    indexed: bool,
    /// One more than the position in `sets`; 0 if there are too many to list.
    #[prost(uint32, tag = "13")]
    services: u32,
    /// Likewise.
    #[prost(uint32, tag = "14")]
    attributes: u32,
    #[prost(uint64, tag = "15")]
    purged: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ReplacedMessage {
    /// Nanoseconds since the epoch.
    #[prost(uint64, tag = "1")]
    at: u64,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    blocks: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    index: Vec<Bytes>,
    #[prost(message, repeated, tag = "4")]
    level_0: Vec<L0Message>,
}

#[derive(Clone, PartialEq, Message)]
struct L0Message {
    #[prost(uint32, tag = "1")]
    hour: u32,
    /// Seconds since the day began.
    #[prost(uint64, tag = "2")]
    end: u64,
    #[prost(bytes = "bytes", tag = "3")]
    hash: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct IndexMessage {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(uint64, tag = "2")]
    entries: u64,
    #[prost(uint64, tag = "3")]
    bytes: u64,
    #[prost(fixed64, tag = "4")]
    first_key: u64,
    #[prost(fixed64, tag = "5")]
    last_key: u64,
}

impl DayCatalog {
    /// The catalog's bytes.
    pub fn encode(&self, day: Day) -> Bytes {
        let mut sets = Sets::default();
        let blocks = self.blocks().map(|block| encode_block(block, day, &mut sets)).collect();
        // What one commit replaced shares its time.
        let mut by_time: BTreeMap<Nanos, ReplacedMessage> = BTreeMap::new();
        for (name, at) in self.replaced() {
            let message = by_time.entry(at).or_insert_with(|| ReplacedMessage { at: at.get(), ..Default::default() });
            match name {
                Name::Block(id) => message.blocks.push(id_bytes(id)),
                Name::Index(id) => message.index.push(id_bytes(id)),
                Name::Level0(name) => message.level_0.push(L0Message {
                    hour: name.hour().of_day().into(),
                    end: name.end().as_secs() - day.start().as_secs(),
                    hash: Bytes::copy_from_slice(name.hash().as_bytes()),
                }),
            }
        }
        let index = self.index().iter().map(|part| IndexMessage {
            id: id_bytes(part.id),
            entries: part.entries,
            bytes: part.bytes,
            first_key: part.keys.from.0,
            last_key: part.keys.to.0,
        });
        let message = DayMessage {
            strings: sets.strings,
            sets: sets.sets,
            blocks,
            replaced: by_time.into_values().collect(),
            index: index.collect(),
        };
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend(zstd::bulk::compress(&message.encode_to_vec(), 3).expect("zstd compresses any bytes"));
        bytes.into()
    }

    /// Reads what [`encode`](Self::encode) makes.
    pub fn decode(bytes: &[u8], day: Day) -> Result<Self, DecodeError> {
        let (header, body) = bytes.split_at_checked(5).ok_or_else(|| damaged("it is too short"))?;
        if header[..4] != *MAGIC {
            return Err(damaged("it does not begin with NDAY"));
        }
        if header[4] > VERSION {
            return Err(DecodeError::TooNew(header[4]));
        }
        let mut decoded = Vec::new();
        let decoder = zstd::Decoder::with_buffer(body).map_err(damaged)?;
        decoder.take(MAX_DECODED).read_to_end(&mut decoded).map_err(damaged)?;
        let message = DayMessage::decode(&*decoded).map_err(damaged)?;
        let sets = DecodedSets::new(&message)?;
        let blocks = message.blocks.iter().map(|block| decode_block(block, day, &sets).map(|block| (block.id, block)));
        let mut replaced = BTreeMap::new();
        for message in &message.replaced {
            let at = nanos(message.at)?;
            for id in &message.blocks {
                replaced.insert(Name::Block(decode_id(id)?), at);
            }
            for id in &message.index {
                replaced.insert(Name::Index(decode_id(id)?), at);
            }
            for name in &message.level_0 {
                replaced.insert(Name::Level0(decode_l0(name, day)?), at);
            }
        }
        let index = message.index.iter().map(|part| {
            Ok(IndexPart {
                id: decode_id(&part.id)?,
                entries: part.entries,
                bytes: part.bytes,
                keys: KeyRange { from: TraceKey(part.first_key), to: TraceKey(part.last_key) },
            })
        });
        Ok(Self::from_parts(blocks.collect::<Result<_, _>>()?, replaced, index.collect::<Result<_, _>>()?))
    }
}

fn encode_block(block: &Block, day: Day, sets: &mut Sets) -> BlockMessage {
    BlockMessage {
        id: id_bytes(block.id),
        level: block.level.into(),
        first_hour: block.hours.first().of_day().into(),
        last_hour: block.hours.last().of_day().into(),
        rows: block.rows,
        bytes: block.bytes,
        tail: block.tail,
        start: block.times.start().saturating_sub(day.start()).get(),
        length: block.times.end().saturating_sub(block.times.start()).get(),
        first_key: block.keys.from.0,
        last_key: block.keys.to.0,
        indexed: block.indexed,
        purged: block.purged,
        services: sets.add(block.services.iter().map(|services| services.iter().map(|name| (name.as_str(), None)))),
        attributes: sets
            .add(block.attributes.iter().map(|keys| keys.iter().map(|(scope, key)| (key.as_str(), Some(*scope))))),
    }
}

fn decode_block(message: &BlockMessage, day: Day, sets: &DecodedSets) -> Result<Block, DecodeError> {
    let hour = |hour: u32| u8::try_from(hour).ok().and_then(|hour| day.hour(hour));
    let hours = hour(message.first_hour).zip(hour(message.last_hour)).and_then(|(first, last)| Hours::new(first, last));
    let start = day.start().saturating_add(nanos(message.start)?);
    Ok(Block {
        id: decode_id(&message.id)?,
        level: u8::try_from(message.level).map_err(damaged)?,
        hours: hours.ok_or_else(|| damaged("a block has no hours"))?,
        rows: message.rows,
        bytes: message.bytes,
        tail: message.tail,
        times: TimeRange::lasting(start, nanos(message.length)?),
        keys: KeyRange { from: TraceKey(message.first_key), to: TraceKey(message.last_key) },
        indexed: message.indexed,
        purged: message.purged,
        services: DecodedSets::get(&sets.services, message.services)?,
        attributes: DecodedSets::get(&sets.attributes, message.attributes)?,
    })
}

fn decode_l0(message: &L0Message, day: Day) -> Result<L0Name, DecodeError> {
    let hour = u8::try_from(message.hour).ok().and_then(|hour| day.hour(hour));
    let hour = hour.ok_or_else(|| damaged("a level-0 name has no hour"))?;
    let hash: [u8; 16] = message.hash.as_ref().try_into().map_err(damaged)?;
    let end = Nanos::from_secs(day.start().as_secs().saturating_add(message.end));
    Ok(L0Name::new(hour, end, ContentHash::from_bytes(hash)))
}

fn id_bytes(id: ObjectId) -> Bytes {
    Bytes::copy_from_slice(&id.to_bytes())
}

fn decode_id(bytes: &Bytes) -> Result<ObjectId, DecodeError> {
    Ok(ObjectId::from_bytes(bytes.as_ref().try_into().map_err(damaged)?))
}

fn nanos(nanos: u64) -> Result<Nanos, DecodeError> {
    Nanos::new(nanos).map_err(damaged)
}

fn damaged(reason: impl ToString) -> DecodeError {
    DecodeError::Damaged(reason.to_string())
}

/// Collects sets of names, each once.
#[derive(Default)]
struct Sets {
    strings: Vec<String>,
    positions: HashMap<String, u32>,
    sets: Vec<SetMessage>,
    known: HashMap<SetMessage, u32>,
}

impl Sets {
    /// One more than the set's position; 0 for no set.
    fn add<'a>(
        &mut self,
        mut set: impl Iterator<Item = impl Iterator<Item = (&'a str, Option<AttributeScope>)>>,
    ) -> u32 {
        let Some(names) = set.next() else { return 0 };
        let mut members: Vec<u32> = names
            .map(|(name, scope)| match scope {
                None => self.position(name),
                Some(scope) => self.position(name) * 4 + scope as u32,
            })
            .collect();
        members.sort_unstable();
        for at in (1..members.len()).rev() {
            members[at] -= members[at - 1];
        }
        let set = SetMessage { members };
        let next = self.sets.len() as u32 + 1;
        *self.known.entry(set).or_insert_with_key(|set| {
            self.sets.push(set.clone());
            next
        })
    }

    fn position(&mut self, name: &str) -> u32 {
        match self.positions.get(name) {
            Some(position) => *position,
            None => {
                let position = self.strings.len() as u32;
                self.strings.push(name.to_owned());
                self.positions.insert(name.to_owned(), position);
                position
            }
        }
    }
}

/// The sets as blocks share them: each in the reading that some block has of it.
struct DecodedSets {
    services: HashMap<u32, Arc<BTreeSet<String>>>,
    attributes: HashMap<u32, Arc<BTreeSet<(AttributeScope, String)>>>,
}

impl DecodedSets {
    fn new(message: &DayMessage) -> Result<Self, DecodeError> {
        let string = |at: u32| {
            message.strings.get(at as usize).cloned().ok_or_else(|| damaged(format!("it has no string {at}")))
        };
        let members = |set: u32| {
            let set = message.sets.get(set as usize - 1).ok_or_else(|| damaged(format!("it has no set {set}")))?;
            Ok::<_, DecodeError>(set.members.iter().scan(0u32, |sum, distance| {
                *sum = sum.wrapping_add(*distance);
                Some(*sum)
            }))
        };
        let used = |field: fn(&BlockMessage) -> u32| {
            message.blocks.iter().map(field).filter(|set| *set > 0).collect::<BTreeSet<u32>>()
        };
        let mut sets = Self { services: HashMap::new(), attributes: HashMap::new() };
        for set in used(|block| block.services) {
            sets.services.insert(set, Arc::new(members(set)?.map(string).collect::<Result<_, _>>()?));
        }
        for set in used(|block| block.attributes) {
            let attribute = |member: u32| {
                let scope = AttributeScope::ALL.get(member as usize % 4);
                Ok((*scope.ok_or_else(|| damaged("an attribute has no scope"))?, string(member / 4)?))
            };
            sets.attributes.insert(set, Arc::new(members(set)?.map(attribute).collect::<Result<_, DecodeError>>()?));
        }
        Ok(sets)
    }

    fn get<T>(sets: &HashMap<u32, Arc<T>>, set: u32) -> Result<Option<Arc<T>>, DecodeError> {
        if set == 0 {
            return Ok(None);
        }
        sets.get(&set).cloned().map(Some).ok_or_else(|| damaged(format!("it has no set {set}")))
    }
}
