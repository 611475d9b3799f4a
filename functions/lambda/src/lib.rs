//! What the functions share: everything that is AWS's and not the handlers'.
//!
//! A function is thin: it reads its [`Environment`], makes a handler of the libraries, and answers events with it. What
//! an event looks like and what an invocation can carry is known here and nowhere else.
//!
//! * [`HttpFunction`] answers HTTP as function URLs, HTTP APIs and load balancers send it ([`HttpEvent`]).
//! * [`Message`]s go between functions, through [`Results`] where they are too large for an invocation.
//! * [`Secret`] is where the tokens are kept. [`metrics`] writes what CloudWatch makes metrics of, [`logs`] all the
//!   rest.
//!
//! Nothing is asked of any service at the start: the first request is what finds out that something is missing.

mod clock;
mod cors;
mod environment;
mod event;
mod http_function;
pub mod logs;
pub mod metrics;
mod random;
mod results;
mod secret;

pub use clock::{deadline, now, system as system_clock};
pub use cors::Cors;
pub use environment::{Environment, InvalidEnvironment};
pub use event::{Front, HttpAnswer, HttpEvent, InvalidEvent};
pub use http_function::{HttpFunction, Sent};
pub use random::bits as random_bits;
pub use results::{Message, MessageError, Results};
pub use secret::{InvalidSecret, Secret};
