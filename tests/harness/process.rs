use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
};

/// A running `niente serve`, killed when it is dropped.
pub(crate) struct Server {
    child: Mutex<Child>,
    /// Where Tempo's API is.
    pub(crate) api: SocketAddr,
    /// Where OTLP over HTTP goes.
    pub(crate) otlp: SocketAddr,
}

/// What a server answered over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Its body, without the counters of what was looked at.
    pub(crate) fn without_counters(&self) -> String {
        super::cut_counters(&String::from_utf8_lossy(&self.body))
    }
}

impl Server {
    /// Starts a server over a folder, on ports that are free.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(Command::new(env!("CARGO_BIN_EXE_niente")).args(["serve", "--data"]).arg(data))
    }

    /// Starts `niente serve` with the arguments that it has already been given, on ports that are free.
    pub(crate) fn start_with(serve: &mut Command) -> Self {
        const FREE_PORTS: [&str; 6] =
            ["--http", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0"];
        let mut child = serve.args(FREE_PORTS).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut api, mut otlp) = (None, None);
        while api.is_none() || otlp.is_none() {
            let line = lines.next().expect("the server says where it listens").unwrap();
            if let Some(said) = line.strip_prefix("listening: ") {
                let (name, url) = said.split_once(' ').unwrap();
                let address = url.trim_start_matches("http://").parse().ok();
                match name {
                    "tempo-api" => api = address,
                    "otlp-http" => otlp = address,
                    _ => {}
                }
            }
        }
        // The pipe stays open and is read, so that the server can go on printing.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child: Mutex::new(child), api: api.unwrap(), otlp: otlp.unwrap() }
    }

    /// Ends the process at once, in the middle of whatever it does.
    pub(crate) fn kill(self) {
        self.end();
    }

    /// Ends the process at once, though others still look at it.
    pub(crate) fn end(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_none()
    }

    /// The most memory that the process has had, in bytes.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.lock().unwrap().id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// One HTTP/1.1 request on a connection of its own; an error if the server went away.
pub(crate) fn exchange(to: SocketAddr, head: &str, body: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(to)?;
    write!(stream, "{head}Host: {to}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let broken = || io::Error::new(io::ErrorKind::UnexpectedEof, "the server went away in the middle of its answer");
    let end_of_head = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&answer[..end_of_head]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(broken)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).and_then(|n| n.trim().parse().ok());
    let body = answer.split_off(end_of_head + 4);
    if length.is_some_and(|length: usize| length != body.len()) {
        return Err(broken());
    }
    Ok(Answer { status, body })
}
