//! How services reach each other and what they store things in, in the words of OpenTelemetry's semantic conventions.

use niente_receive::proto::{
    common::v1::KeyValue,
    trace::v1::span::{Link, SpanKind},
};

use super::{
    attribute::{flag, int, text},
    service::{Library, Service},
    story::{Fault, Opening, Outcome, Story},
};

/// Where a service keeps its data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Database {
    Postgres,
    MySql,
    Elasticsearch,
}

impl Database {
    fn facts(self) -> (&'static str, &'static str, u16) {
        match self {
            Database::Postgres => ("postgresql", "pg-main.db.shop.internal", 5432),
            Database::MySql => ("mysql", "mysql-users.db.shop.internal", 3306),
            Database::Elasticsearch => ("elasticsearch", "search.db.shop.internal", 9200),
        }
    }
}

/// A request of HTTP as its server sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
}

impl Story {
    /// A browser's request to the shop: the root of most traces.
    pub(super) fn visit(&mut self, endpoint: Endpoint, path: &str, body: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        const AGENTS: [&str; 4] = [
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ];
        let Endpoint { method, route } = endpoint;
        let attributes = vec![
            text("http.request.method", method),
            text("http.route", route),
            text("url.scheme", "https"),
            text("url.path", path),
            text("server.address", "shop.example"),
            int("server.port", 443),
            text("network.protocol.version", self.one_of(&["1.1", "2", "2"])),
            text("client.address", format!("203.0.113.{}", self.dice.u8(1..255))),
            text("user_agent.original", self.one_of(&AGENTS)),
            text("session.id", format!("{:016x}", self.dice.u64(..) >> 50 << 20)),
        ];
        let pod = self.pod_of(Service::Frontend);
        let opening = Opening {
            service: Service::Frontend,
            pod,
            library: Library::Http,
            kind: SpanKind::Server,
            name: format!("{method} {route}"),
            attributes,
        };
        self.span(opening, |story| {
            story.work(0.4);
            let outcome = body(story);
            story.work(0.6);
            story.note(int(
                "http.response.status_code",
                outcome.as_ref().map_or_else(|fault| fault.http_status, |()| 200),
            ));
            outcome.inspect_err(|fault| {
                if fault.http_status >= 500 {
                    story.note(text("error.type", fault.http_status.to_string()));
                }
            })
        })
    }

    /// A call over gRPC: the caller's span, the network, the span of who answers.
    pub(super) fn call(
        &mut self,
        target: Service,
        service: &'static str,
        method: &'static str,
        body: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let common = || vec![text("rpc.system", "grpc"), text("rpc.service", service), text("rpc.method", method)];
        let name = format!("{service}/{method}");
        let mut asking = common();
        asking.extend([
            text("server.address", format!("{}.shop.svc.cluster.local", target.name())),
            int("server.port", 8080),
        ]);
        let opening = self.opening(Library::Rpc, SpanKind::Client, name.clone(), asking);
        let pod = self.pod_of(target);
        self.span(opening, |story| {
            story.work(0.3);
            let mut answering = common();
            answering
                .push(text("network.peer.address", format!("10.0.{}.{}", story.dice.u8(0..3), story.dice.u8(2..250))));
            let opening = Opening {
                service: target,
                pod,
                library: Library::Rpc,
                kind: SpanKind::Server,
                name,
                attributes: answering,
            };
            let outcome = story.span(opening, |story| {
                story.work(0.2);
                let outcome = body(story);
                story.work(0.1);
                story.note_grpc(&outcome);
                outcome
            });
            story.work(0.3);
            story.note_grpc(&outcome);
            outcome
        })
    }

    fn note_grpc(&mut self, outcome: &Outcome) {
        self.note(int("rpc.grpc.status_code", outcome.as_ref().map_or_else(|fault| fault.grpc_status, |()| 0)));
    }

    /// A request to somebody else's API. It answers with this status, or not in time.
    pub(super) fn call_out(&mut self, host: &str, path: &str, milliseconds: f64, status: Option<u16>) -> Outcome {
        let attributes = vec![
            text("http.request.method", "POST"),
            text("url.full", format!("https://{host}{path}")),
            text("server.address", host),
            int("server.port", 443),
            text("network.protocol.version", "2"),
        ];
        let opening = self.opening(Library::Http, SpanKind::Client, "POST".to_owned(), attributes);
        self.span(opening, |story| {
            story.work(milliseconds);
            match status {
                Some(status) => {
                    story.note(int("http.response.status_code", status));
                    if status < 400 {
                        return Ok(());
                    }
                    story.note(text("error.type", status.to_string()));
                    Err(Fault::new("HttpStatusException", format!("{host} answered {status}"), 502, 14))
                }
                None => {
                    story.note(text("error.type", "timeout"));
                    Err(Fault::new(
                        "java.net.http.HttpTimeoutException",
                        format!("{host} did not answer in time"),
                        504,
                        4,
                    ))
                }
            }
        })
    }

    /// A statement to a database, which answers with so many rows.
    pub(super) fn query(
        &mut self,
        database: Database,
        operation: &'static str,
        collection: &'static str,
        statement: &str,
        milliseconds: f64,
        rows: u32,
    ) -> Outcome {
        let (system, host, port) = database.facts();
        let attributes = vec![
            text("db.system.name", system),
            text("db.namespace", "shop"),
            text("db.operation.name", operation),
            text("db.collection.name", collection),
            text("db.query.summary", format!("{operation} {collection}")),
            text("db.query.text", statement),
            text("server.address", host),
            int("server.port", port),
        ];
        let name = format!("{operation} {collection}");
        let opening = self.opening(Library::Database, SpanKind::Client, name, attributes);
        self.span(opening, |story| {
            story.work(milliseconds);
            story.note(int("db.response.returned_rows", rows));
            Ok(())
        })
    }

    /// A look into the cache: whether it was there.
    pub(super) fn cached(&mut self, key: &str, of_thousand: u32) -> bool {
        let hit = self.chance(of_thousand);
        self.redis("GET", key, flag("cache.hit", hit));
        hit
    }

    /// A command to Redis.
    pub(super) fn redis(&mut self, command: &'static str, key: &str, note: KeyValue) {
        let attributes = vec![
            text("db.system.name", "redis"),
            text("db.operation.name", command),
            text("db.query.text", format!("{command} {key}")),
            text("server.address", "redis.shop.svc.cluster.local"),
            int("server.port", 6379),
            note,
        ];
        let opening = self.opening(Library::Database, SpanKind::Client, command.to_owned(), attributes);
        let never_fails = self.span(opening, |story| {
            story.work(0.5);
            Ok(())
        });
        debug_assert!(never_fails.is_ok());
    }

    /// A piece of the service's own work.
    pub(super) fn step(
        &mut self,
        name: &str,
        attributes: Vec<KeyValue>,
        body: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let opening = self.opening(Library::Own, SpanKind::Internal, name.to_owned(), attributes);
        self.span(opening, body)
    }

    /// A message to a topic; `delivered` happens in the producer's span, with what refers to it.
    pub(super) fn publish(&mut self, topic: &'static str, delivered: impl FnOnce(&mut Self, Link)) {
        let mut attributes = messaging(topic, "send", "send");
        attributes.push(text("messaging.destination.partition.id", self.dice.u8(0..6).to_string()));
        let opening = self.opening(Library::Messaging, SpanKind::Producer, format!("send {topic}"), attributes);
        let never_fails = self.span(opening, |story| {
            story.work(2.0);
            let context = story.context();
            delivered(story, context);
            Ok(())
        });
        debug_assert!(never_fails.is_ok());
    }

    /// The work on messages of a topic, which the links refer to.
    pub(super) fn consume(
        &mut self,
        service: Service,
        topic: &'static str,
        links: Vec<Link>,
        body: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let mut attributes = messaging(topic, "process", "process");
        attributes.extend([
            text("messaging.consumer.group.name", service.name()),
            text("messaging.destination.partition.id", self.dice.u8(0..6).to_string()),
            int("messaging.batch.message_count", links.len().max(1) as i64),
            int("messaging.kafka.offset", self.dice.i64(1_000_000..9_000_000)),
        ]);
        let pod = self.pod_of(service);
        let opening = Opening {
            service,
            pod,
            library: Library::Messaging,
            kind: SpanKind::Consumer,
            name: format!("process {topic}"),
            attributes,
        };
        self.span(opening, |story| {
            links.into_iter().for_each(|link| story.link(link));
            story.work(1.0);
            body(story)
        })
    }

    /// A span of who works at the moment.
    fn opening(&mut self, library: Library, kind: SpanKind, name: String, attributes: Vec<KeyValue>) -> Opening {
        let (service, pod) = self.worker();
        Opening { service, pod, library, kind, name, attributes }
    }
}

fn messaging(topic: &'static str, operation: &'static str, kind: &'static str) -> Vec<KeyValue> {
    vec![
        text("messaging.system", "kafka"),
        text("messaging.destination.name", topic),
        text("messaging.operation.name", operation),
        text("messaging.operation.type", kind),
        text("server.address", "kafka.shop.svc.cluster.local"),
        int("server.port", 9092),
    ]
}
