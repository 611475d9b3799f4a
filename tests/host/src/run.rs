//! The course of one invocation.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};

use crate::{
    Answer, Fault,
    answer::{Failure, Reply, Stream},
    clock,
    environment::{Environment, exit_error, timed_out},
    ids::trace_id,
    pool::{Pool, Ready, Request},
    process::Exit,
    runtime_api::{Event, Part},
};

/// The largest answer that is streamed.
const MAX_STREAMED: u64 = 200 << 20;
/// How often a process's memory is looked at.
const MEMORY_WATCH: Duration = Duration::from_millis(10);

/// Gets a process, has it do the work, and replies. By then the place is free again and all is counted, so that a caller
/// who has the answer may rely on both.
pub(crate) async fn run(
    pool: Arc<Pool>,
    request: Request,
    request_id: String,
    fault: Fault,
    reply: oneshot::Sender<Reply>,
) {
    if let Fault::Delay(delay) = fault {
        sleep(delay).await;
    }
    let timeout = pool.function.timeout;
    let (answer, parts) = mpsc::channel(16);
    let mut event = Event {
        request_id,
        deadline: 0,
        arn: pool.function.arn(),
        trace_id: request.trace_id.unwrap_or_else(trace_id),
        client_context: request.client_context,
        payload: request.payload,
        answer,
    };
    // (A process may end in the very moment in which it would get its event.)
    let Ready { environment, init } = loop {
        match pool.ready(&event.request_id).await {
            Ok(ready) => {
                event.deadline = (clock::now() + timeout).as_millis();
                if ready.environment.hand_over(event.clone()) {
                    break ready;
                }
            }
            Err((failure, took)) => {
                pool.finish(None, |counters| {
                    counters.invocations += 1;
                    counters.errors += 1;
                    counters.bill(took);
                });
                let _ = reply.send(Reply::Whole(failure.into()));
                return;
            }
        }
    };
    let begun = Instant::now();
    let Event { request_id, answer, .. } = event;
    // (Only the process holds the other end: when it lets go, that shows.)
    drop(answer);
    let caller = Caller { fault, reply: Some(reply), chunks: None, streamed: 0 };
    let mut work = Work { environment, parts, caller, peak: 0, request_id, limit: pool.function.memory_bytes() };
    let ended = work.watch(begun + timeout, timeout).await;

    let Work { environment, mut caller, peak, .. } = work;
    let failed = !matches!(&ended, End::Answered(Answer { error: None, .. }) | End::Streamed(None));
    let reusable = match ended {
        End::Dead(_) => {
            environment.kill();
            None
        }
        End::Answered(_) | End::Streamed(_) => Some(environment),
    };
    pool.finish(reusable, |counters| {
        counters.invocations += 1;
        counters.errors += u64::from(failed);
        counters.streamed_bytes += caller.streamed;
        counters.peak_memory_bytes = counters.peak_memory_bytes.max(peak);
        counters.bill(init + begun.elapsed());
    });
    match ended {
        End::Answered(answer) => caller.answer(answer),
        End::Streamed(failure) => caller.end(failure),
        End::Dead(failure) => caller.end(Some(failure)),
    }
}

/// How the work ended.
enum End {
    /// With an answer in one piece, which may be an error.
    Answered(Answer),
    /// The stream came to its end, or to an error.
    Streamed(Option<Failure>),
    /// The process is no more.
    Dead(Failure),
}

/// A process at work, and what is watched meanwhile.
struct Work {
    environment: Arc<Environment>,
    parts: mpsc::Receiver<Part>,
    caller: Caller,
    peak: u64,
    request_id: String,
    /// Of memory, in bytes.
    limit: u64,
}

impl Work {
    async fn watch(&mut self, deadline: Instant, timeout: Duration) -> End {
        let doomed = matches!(self.caller.fault, Fault::Kill(_));
        let doom = match self.caller.fault {
            Fault::Kill(after) => Instant::now().checked_add(after),
            _ => None,
        };
        let mut memory = interval(MEMORY_WATCH);
        memory.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut open, mut killed) = (true, false);
        loop {
            tokio::select! {
                biased;
                () = sleep_until(deadline) => return End::Dead(timed_out(&self.request_id, timeout)),
                part = self.parts.recv(), if open => {
                    open = part.is_some();
                    if doomed || self.holds_too_much() {
                        (open, killed) = (false, true);
                        self.environment.kill();
                    } else if let Some(end) = part.and_then(|part| self.take(part)) {
                        return end;
                    }
                }
                exit = self.environment.exit() => return self.last_words(exit, open && !killed).await,
                () = sleep_until(doom.unwrap_or(deadline)), if doom.is_some() && !killed => {
                    killed = true;
                    self.environment.kill();
                }
                _ = memory.tick(), if !killed => {
                    if self.holds_too_much() {
                        killed = true;
                        self.environment.kill();
                    }
                }
                // It broke off its answer, and goes on as if nothing had been.
                () = self.environment.waiting(), if !open && !killed => {
                    let message = format!("RequestId: {} Error: the response broke off", self.request_id);
                    return End::Streamed(Some(Failure::new("Runtime.TruncatedResponse", &message)));
                }
            }
        }
    }

    /// What a process said before it ended counts, though it may be read only now.
    async fn last_words(&mut self, exit: Exit, heard: bool) -> End {
        self.environment.give_up();
        while heard && let Some(part) = self.parts.recv().await {
            // (After the end nothing is of use but the answer: the process won't serve again.)
            match self.take(part) {
                Some(End::Streamed(Some(failure))) => return End::Dead(failure),
                Some(end) => return end,
                None => {}
            }
        }
        End::Dead(exit_error(&self.request_id, exit))
    }

    fn holds_too_much(&mut self) -> bool {
        self.peak = self.peak.max(self.environment.peak_memory().unwrap_or_default());
        self.peak > self.limit
    }

    /// Passes on what the process says, and says whether that was all.
    fn take(&mut self, part: Part) -> Option<End> {
        match part {
            Part::Whole(answer) => Some(End::Answered(answer)),
            Part::Start { has_prelude } => {
                self.caller.start(has_prelude);
                None
            }
            Part::Chunk(chunk) => {
                self.caller.streamed += chunk.len() as u64;
                if self.caller.streamed > MAX_STREAMED {
                    let message = format!("Response payload size exceeded {MAX_STREAMED} bytes.");
                    return Some(End::Streamed(Some(Failure::new("Function.ResponseSizeTooLarge", &message))));
                }
                self.caller.chunk(chunk);
                None
            }
            Part::End => Some(End::Streamed(None)),
            Part::Failed(failure) => Some(End::Streamed(Some(failure))),
        }
    }
}

/// Who waits for the reply, or waited once: all of it goes on without them.
struct Caller {
    fault: Fault,
    reply: Option<oneshot::Sender<Reply>>,
    chunks: Option<mpsc::UnboundedSender<Result<Bytes, Failure>>>,
    streamed: u64,
}

impl Caller {
    fn reply(&mut self, reply: Reply) {
        let lost = self.fault == Fault::LoseAnswer;
        if let Some(waiting) = self.reply.take() {
            let _ = waiting.send(if lost { Reply::Lost } else { reply });
        }
    }

    fn answer(&mut self, answer: Answer) {
        self.reply(Reply::Whole(answer));
    }

    fn start(&mut self, has_prelude: bool) {
        let (sender, chunks) = mpsc::unbounded_channel();
        self.chunks = Some(sender);
        self.reply(Reply::Stream(Stream { has_prelude, chunks }));
    }

    fn chunk(&self, chunk: Bytes) {
        if let Some(chunks) = &self.chunks {
            let _ = chunks.send(Ok(chunk));
        }
    }

    /// The end of a stream, or a failure before it began.
    fn end(&mut self, failure: Option<Failure>) {
        match (self.chunks.take(), failure) {
            (Some(chunks), Some(failure)) => {
                let _ = chunks.send(Err(failure));
            }
            (None, Some(failure)) => self.answer(failure.into()),
            (_, None) => {}
        }
    }
}
