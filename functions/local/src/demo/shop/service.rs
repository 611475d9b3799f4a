//! Who works in the shop: services, their pods, and the libraries that record their spans.

use fastrand::Rng;
use niente_receive::proto::{
    common::v1::{InstrumentationScope, KeyValue},
    resource::v1::Resource,
};

use super::attribute::{int, text};

/// The semantic conventions by which attributes are named.
pub(super) const SCHEMA: &str = "https://opentelemetry.io/schemas/1.36.0";

/// A service of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    Frontend,
    Checkout,
    Cart,
    Catalog,
    Search,
    Recommendation,
    Users,
    Payment,
    Currency,
    Inventory,
    Shipping,
    Email,
    Fulfilment,
    Accounting,
}

/// What a library records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Library {
    Http,
    Rpc,
    Database,
    Messaging,
    /// The service's own code.
    Own,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    NodeJs,
    Go,
    Java,
    DotNet,
    Python,
    Ruby,
    Rust,
    Cpp,
}

use Language::{Cpp, DotNet, Go, Java, NodeJs, Python, Ruby, Rust};

impl Service {
    pub(super) const ALL: [Service; 14] = [
        Service::Frontend,
        Service::Checkout,
        Service::Cart,
        Service::Catalog,
        Service::Search,
        Service::Recommendation,
        Service::Users,
        Service::Payment,
        Service::Currency,
        Service::Inventory,
        Service::Shipping,
        Service::Email,
        Service::Fulfilment,
        Service::Accounting,
    ];

    /// Name, version, language and number of pods.
    const fn facts(self) -> (&'static str, &'static str, Language, u8) {
        match self {
            Service::Frontend => ("frontend", "4.12.0", NodeJs, 3),
            Service::Checkout => ("checkout", "2.8.1", Go, 2),
            Service::Cart => ("cart", "1.19.3", DotNet, 2),
            Service::Catalog => ("catalog", "3.4.0", Go, 3),
            Service::Search => ("search", "0.9.7", Java, 2),
            Service::Recommendation => ("recommendation", "1.2.0", Python, 2),
            Service::Users => ("users", "5.0.2", Ruby, 2),
            Service::Payment => ("payment", "2.1.4", Java, 2),
            Service::Currency => ("currency", "1.0.0", Cpp, 1),
            Service::Inventory => ("inventory", "1.7.5", Python, 2),
            Service::Shipping => ("shipping", "0.6.1", Rust, 1),
            Service::Email => ("email", "1.3.0", Ruby, 1),
            Service::Fulfilment => ("fulfilment", "2.2.0", Java, 2),
            Service::Accounting => ("accounting", "1.1.0", Go, 1),
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.facts().0
    }

    /// How many pods it runs in.
    pub(super) fn pods(self) -> u8 {
        self.facts().3
    }

    /// What a pod says of itself, the same for the same seed.
    pub(super) fn resource(self, pod: u8, seed: u64) -> Resource {
        let (name, version, language, _) = self.facts();
        let mut dice = Rng::with_seed(seed ^ (self as u64) << 8 ^ 0x0070_6f64);
        let replica_set = suffix(&mut dice, 10);
        // The pods before it: each has its own name, and finds the same names before it.
        let mut pod_suffix = suffix(&mut dice, 5);
        for _ in 0..pod {
            pod_suffix = suffix(&mut dice, 5);
        }
        let deployment = format!("{name}-{replica_set}");
        let pod_name = format!("{deployment}-{pod_suffix}");
        let zone = ["a", "b", "c"][usize::from(pod) % 3];
        let mut attributes = vec![
            text("service.name", name),
            text("service.namespace", "shop"),
            text("service.version", version),
            text("service.instance.id", format!("{:08x}-{:04x}", dice.u32(..), dice.u16(..))),
            text("deployment.environment.name", "production"),
            text("cloud.provider", "aws"),
            text("cloud.region", "eu-central-1"),
            text("cloud.availability_zone", format!("eu-central-1{zone}")),
            text("k8s.cluster.name", "shop-eu"),
            text("k8s.namespace.name", "shop"),
            text("k8s.deployment.name", name),
            text("k8s.pod.name", pod_name.clone()),
            text("k8s.node.name", format!("ip-10-0-{}-17.eu-central-1.compute.internal", usize::from(pod) % 3)),
            text("k8s.container.name", name),
            text("container.image.name", format!("registry.shop.example/{name}")),
            text("host.name", pod_name),
            int("process.pid", i64::from(dice.u8(1..40))),
        ];
        attributes.extend(language.attributes());
        Resource { attributes, ..Resource::default() }
    }

    /// The library that records spans of this kind in this service.
    pub(super) fn scope(self, library: Library) -> InstrumentationScope {
        let (service, version, language, _) = self.facts();
        let (name, version) = match library {
            Library::Own => (format!("shop/{service}"), version),
            library => {
                let (name, version) = language.scope(library);
                (name.to_owned(), version)
            }
        };
        InstrumentationScope { name, version: version.to_owned(), ..InstrumentationScope::default() }
    }
}

impl Language {
    fn attributes(self) -> Vec<KeyValue> {
        let (language, sdk, runtime, version) = match self {
            NodeJs => ("nodejs", "2.0.1", "nodejs", "22.14.0"),
            Go => ("go", "1.36.0", "go", "go1.24.3"),
            Java => ("java", "1.50.0", "OpenJDK Runtime Environment", "21.0.7+6-LTS"),
            DotNet => ("dotnet", "1.12.0", ".NET", "9.0.5"),
            Python => ("python", "1.33.1", "cpython", "3.13.3"),
            Ruby => ("ruby", "1.8.0", "ruby", "3.4.4"),
            Rust => ("rust", "0.30.0", "rustc", "1.87.0"),
            Cpp => ("cpp", "1.21.0", "gcc", "14.2.0"),
        };
        vec![
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.language", language),
            text("telemetry.sdk.version", sdk),
            text("process.runtime.name", runtime),
            text("process.runtime.version", version),
        ]
    }

    fn scope(self, library: Library) -> (&'static str, &'static str) {
        match (self, library) {
            (NodeJs, Library::Http) => ("@opentelemetry/instrumentation-http", "0.200.0"),
            (NodeJs, Library::Rpc) => ("@opentelemetry/instrumentation-grpc", "0.200.0"),
            (NodeJs, _) => ("@opentelemetry/instrumentation-ioredis", "0.48.0"),
            (Go, Library::Http) => ("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "0.61.0"),
            (Go, Library::Rpc) => {
                ("go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc", "0.61.0")
            }
            (Go, Library::Database) => ("github.com/XSAM/otelsql", "0.38.0"),
            (Go, _) => ("github.com/twmb/franz-go/plugin/kotel", "1.6.0"),
            (Java, Library::Http) => ("io.opentelemetry.java-http-client", "2.16.0-alpha"),
            (Java, Library::Rpc) => ("io.opentelemetry.grpc-1.6", "2.16.0-alpha"),
            (Java, Library::Database) => ("io.opentelemetry.jdbc", "2.16.0-alpha"),
            (Java, _) => ("io.opentelemetry.kafka-clients-0.11", "2.16.0-alpha"),
            (DotNet, Library::Database) => ("OpenTelemetry.Instrumentation.StackExchangeRedis", "1.12.0-beta.1"),
            (DotNet, _) => ("Microsoft.AspNetCore", "9.0.5"),
            (Python, Library::Database) => ("opentelemetry.instrumentation.psycopg", "0.54b1"),
            (Python, _) => ("opentelemetry.instrumentation.grpc", "0.54b1"),
            (Ruby, Library::Database) => ("OpenTelemetry::Instrumentation::Mysql2", "0.29.0"),
            (Ruby, _) => ("OpenTelemetry::Instrumentation::Rack", "0.26.0"),
            (Rust, _) => ("tonic-tracing-opentelemetry", "0.28.1"),
            (Cpp, _) => ("opentelemetry-cpp/grpc", "1.21.0"),
        }
    }
}

/// As Kubernetes makes them: no vowels, so no words.
fn suffix(dice: &mut Rng, length: usize) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..length).map(|_| char::from(LETTERS[dice.usize(..LETTERS.len())])).collect()
}
