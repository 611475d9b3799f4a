//! What things cost: what AWS bills, at which prices, and what is allowed.
//!
//! A query is answered by functions that know nothing of each other. Each of them counts what it takes where it
//! arises, the counts are added up on the way back, and only their sum is priced. So a count is whole numbers, and so
//! is a price: the answer's cost doesn't depend on which shard was faster.
//!
//! The types to know:
//!
//! * [`Spent`]: what something took. Requests by kind, bytes, invocations, memory over time.
//! * [`Prices`]: one table of what each of these costs; the default is AWS's list, JSON changes it.
//! * [`Dollars`]: what comes out. Picodollars inside, `$0.0000164` outside. A [`Bill`] has them line by line.
//! * [`Budget`]: what one query may read and cost, asked before it runs and while it does.
//!
//! ```
//! use std::time::Duration;
//! use niente_cost::{Architecture, Budget, Prices, Spent};
//! use niente_store::Counts;
//!
//! let requests = Counts { lists: 1, gets: 28, bytes_read: 104_857_600, ..Counts::default() };
//! let spent = Spent::from(requests) + Spent::invocation(Architecture::Arm64, 1_769, Duration::from_millis(420));
//!
//! let dollars = Prices::default().of(&spent);
//! assert_eq!(dollars.to_string(), "$0.0000261");
//!
//! let budget = Budget { dollars: "0.00001".parse().ok(), ..Budget::default() };
//! let refused = budget.check(spent.store.bytes_read, dollars).unwrap_err();
//! assert!(refused.to_string().contains("cost $0.0000261 where $0.00001 is allowed"));
//! ```
//!
//! A month's bill is made of the same parts: a [`Workload`] says what is sent and asked, [`Measured`] and [`Assumed`] are
//! the constants between that and what AWS bills, and [`Workload::month`] is the formula. `docs/cost.md` tells it in words.
//!
//! Nothing here does I/O or reads a clock, and nothing here measures: whoever runs a function knows its memory and its
//! time.

mod alternatives;
mod bill;
mod budget;
mod dollars;
mod measured;
mod month;
mod prices;
mod spent;

pub use alternatives::Alternative;
pub use bill::{Bill, Line, Quantity};
pub use budget::{Budget, OverBudget};
pub use dollars::{Dollars, InvalidDollars};
pub use measured::{Assumed, Measured};
pub use month::Workload;
pub use prices::{InvalidPrices, Prices};
pub use spent::{Architecture, MemoryTime, Spent, UnknownArchitecture};
