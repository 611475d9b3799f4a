//! An execution environment: a process, and the Runtime API that it alone talks to.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{net::TcpListener, process::Command, sync::watch};

use crate::{
    Function,
    answer::Failure,
    function::REGION,
    http_server::{Server, serve},
    log::Log,
    process::{Exit, Process},
    runtime_api::{Event, RuntimeApi, Status},
};

/// One process of a function. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Environment {
    process: Process,
    api: Arc<RuntimeApi>,
    /// It has been killed, and may not know it yet.
    killed: AtomicBool,
    ended: watch::Receiver<Option<Exit>>,
    _server: Server,
}

impl Environment {
    /// Starts a process. `lambda` is where it finds Lambda, should it invoke other functions.
    pub(crate) async fn start(function: &Function, lambda: &str, log: &Log) -> io::Result<Self> {
        let process = Process::default();
        let api = Arc::new(RuntimeApi::new(process.clone()));
        let answering = Arc::clone(&api);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = serve(listener, move |request, _| Arc::clone(&answering).answer(request))?;

        let mut command = Command::new(&function.binary);
        command.env_clear().env("AWS_LAMBDA_RUNTIME_API", server.address.to_string());
        command.envs(variables(function)).env("AWS_ENDPOINT_URL_LAMBDA", lambda).envs(&function.environment);
        if function.environment.contains_key("AWS_ACCESS_KEY_ID") {
            // A token belongs to the keys that it came with.
            command.env_remove("AWS_SESSION_TOKEN").envs(function.environment.get_key_value("AWS_SESSION_TOKEN"));
        }
        let ended = process.start(&mut command, log)?;
        Ok(Self { process, api, killed: AtomicBool::new(false), ended, _server: server })
    }

    /// Returns when it waits for an event, or says why it never will.
    pub(crate) async fn ready(&self, limit: Duration, request_id: &str) -> Result<(), Failure> {
        tokio::select! {
            biased;
            exit = self.exit() => Err(self.api.init_error().unwrap_or_else(|| exit_error(request_id, exit))),
            () = self.waiting() => Ok(()),
            () = tokio::time::sleep(limit) => Err(timed_out(request_id, limit)),
        }
    }

    /// Returns when it has ended.
    pub(crate) async fn exit(&self) -> Exit {
        let mut ended = self.ended.clone();
        let exit = ended.wait_for(Option::is_some).await.ok().and_then(|exit| *exit);
        // (Nobody tells any more when the host is going down, and this with it.)
        match exit {
            Some(exit) => exit,
            None => std::future::pending().await,
        }
    }

    pub(crate) async fn waiting(&self) {
        self.api.waiting().await;
    }

    /// Says whether it was there to take the event.
    pub(crate) fn hand_over(&self, event: Event) -> bool {
        self.lives() && self.api.hand_over(event)
    }

    /// Nothing more will come for the event, but for what is on its way already.
    pub(crate) fn give_up(&self) {
        self.api.give_up();
    }

    pub(crate) fn is_working(&self) -> bool {
        self.lives() && self.api.status() == Status::Working
    }

    fn lives(&self) -> bool {
        !self.killed.load(Ordering::Acquire) && self.ended.borrow().is_none()
    }

    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.process.kill();
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.process.id()
    }

    pub(crate) fn peak_memory(&self) -> Option<u64> {
        self.process.peak_memory()
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.process.kill();
    }
}

pub(crate) fn exit_error(request_id: &str, exit: Exit) -> Failure {
    Failure::new("Runtime.ExitError", &format!("RequestId: {request_id} Error: {exit}"))
}

pub(crate) fn timed_out(request_id: &str, limit: Duration) -> Failure {
    let seconds = limit.as_secs_f64();
    Failure::new(
        "Sandbox.Timedout",
        &format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds"),
    )
}

/// What Lambda sets for an OS-only runtime. The credentials stand for those of the function's role.
fn variables(function: &Function) -> [(&'static str, String); 19] {
    let folder = function.binary.parent().unwrap_or(&function.binary).display().to_string();
    let day = crate::clock::iso()[..10].replace('-', "/");
    [
        ("AWS_ACCESS_KEY_ID", "lambda-host".into()),
        ("AWS_SECRET_ACCESS_KEY", "lambda-host".into()),
        ("AWS_SESSION_TOKEN", "lambda-host".into()),
        ("AWS_REGION", REGION.into()),
        ("AWS_DEFAULT_REGION", REGION.into()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("{day}/[$LATEST]{:032x}", fastrand::u128(..))),
        ("LAMBDA_TASK_ROOT", folder.clone()),
        ("LAMBDA_RUNTIME_DIR", folder),
        ("LANG", "en_US.UTF-8".into()),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".into()),
        ("TZ", ":UTC".into()),
        ("_HANDLER", "bootstrap".into()),
        // Nobody is to look for a cloud around the test.
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".into()),
    ]
}
