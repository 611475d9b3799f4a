//! What only a folder has to show: several processes in it, and processes that die.
//!
//! The processes are this test binary again: a test that finds [`FOLDER`] set plays a child's part and returns.

#![allow(clippy::unwrap_used)] // in the helpers too

use std::{
    env, fs,
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
};

use futures::TryStreamExt;
use niente_store::{
    Action, Error, ErrorKind, FolderStore, InvalidKey, ObjectKey, Store, list_all, suite::writes::increment,
};

/// The child's folder.
const FOLDER: &str = "NIENTE_TEST_FOLDER";
/// The child's number.
const NUMBER: &str = "NIENTE_TEST_NUMBER";
/// What begins a child's message, among what the test harness prints.
const MARK: &str = "@@ ";

struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(test: &str, folder: &Path, number: usize) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(FOLDER, folder)
            .env(NUMBER, number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output).lines() }
    }

    /// The child's next message, or none if it has ended.
    fn hear(&mut self) -> Option<String> {
        self.output
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once(MARK).map(|(_, message)| message.to_owned()))
    }

    fn go(&mut self) {
        self.input.write_all(b"go\n").unwrap();
    }
}

/// In a child: its folder and number.
fn child() -> Option<(PathBuf, usize)> {
    let folder = env::var_os(FOLDER)?;
    Some((folder.into(), env::var(NUMBER).unwrap().parse().unwrap()))
}

/// In a child: says something to the parent. Whole lines at once, so that messages of several tasks don't mix.
fn say(message: impl std::fmt::Display) {
    std::io::stdout().lock().write_all(format!("\n{MARK}{message}\n").as_bytes()).unwrap();
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(work)
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

fn unfinished(folder: &Path) -> PathBuf {
    folder.join(".niente~/unfinished")
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn processes_agree_on_who_created_and_who_replaced() {
    const PROCESSES: usize = 6;
    const OBJECTS: usize = 40;
    const INCREMENTS: usize = 30;

    if let Some((folder, number)) = child() {
        return run(async {
            let store: Arc<dyn Store> = Arc::new(FolderStore::open(folder).unwrap());
            say("ready");
            std::io::stdin().read_line(&mut String::new()).unwrap();
            for n in 0..OBJECTS {
                match store.put_if_absent(&key(&format!("a/{n}/x")), format!("{number}").into()).await {
                    Ok(_) => say(format_args!("{n} {number}")),
                    Err(Error::AlreadyExists { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            for _ in 0..INCREMENTS {
                increment(&store, "counter").await;
            }
        });
    }

    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path()).unwrap();
    run(store.put_if_absent(&key("counter"), "0".into())).unwrap();
    let mut processes: Vec<_> = (0..PROCESSES)
        .map(|n| Process::start("processes_agree_on_who_created_and_who_replaced", folder.path(), n))
        .collect();
    for process in &mut processes {
        assert_eq!(process.hear().as_deref(), Some("ready"));
    }
    processes.iter_mut().for_each(Process::go);
    let mut winners: Vec<(usize, String)> = Vec::new();
    for mut process in processes {
        while let Some(message) = process.hear() {
            let (object, winner) = message.split_once(' ').unwrap();
            winners.push((object.parse().unwrap(), winner.to_owned()));
        }
        assert!(process.child.wait().unwrap().success());
    }

    winners.sort();
    assert_eq!(winners.iter().map(|(object, _)| *object).collect::<Vec<_>>(), (0..OBJECTS).collect::<Vec<_>>());
    for (object, winner) in winners {
        let read = run(store.get(&key(&format!("a/{object}/x")))).unwrap();
        assert_eq!(read.bytes, winner.as_bytes(), "object {object}");
    }
    let counter = run(store.get(&key("counter"))).unwrap();
    assert_eq!(counter.bytes, (PROCESSES * INCREMENTS).to_string());
    assert_eq!(files(&unfinished(folder.path())), 0);
}

#[test]
fn a_killed_process_leaves_whole_objects_or_none() {
    /// Recognisable in every part, and large enough that writing it takes a while.
    fn content(n: u64) -> Vec<u8> {
        n.to_le_bytes().repeat(50_000)
    }
    #[track_caller]
    fn number_of(bytes: &[u8]) -> u64 {
        let n = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        assert!(bytes == content(n), "torn: {} bytes", bytes.len());
        n
    }

    if let Some((folder, _)) = child() {
        return run(async {
            let store: Arc<dyn Store> = Arc::new(FolderStore::open(folder).unwrap());
            let create = |lane: u64| {
                let store = Arc::clone(&store);
                async move {
                    for n in lane * 1_000_000.. {
                        store.put_if_absent(&key(&format!("new/{lane}/{n}")), content(n).into()).await.unwrap();
                        say(format_args!("new/{lane}/{n} {n}"));
                    }
                }
            };
            let replace = async {
                let mut etag = store.put_if_absent(&key("swap"), content(0).into()).await.unwrap();
                for n in 1.. {
                    etag = store.put_if_match(&key("swap"), content(n).into(), &etag).await.unwrap();
                    say(format_args!("swap {n}"));
                }
            };
            futures::join!(create(1), create(2), replace);
        });
    }

    for acknowledged in [1, 2, 3, 5, 8, 13, 21, 34] {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start("a_killed_process_leaves_whole_objects_or_none", folder.path(), 0);
        let mut messages: Vec<_> = (0..acknowledged).map(|_| process.hear().expect("it never ends")).collect();
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        messages.extend(std::iter::from_fn(|| process.hear()));

        let store = FolderStore::open(folder.path()).unwrap();
        assert_eq!(files(&unfinished(folder.path())), 0, "nobody else has it open");
        for message in messages {
            let (name, n) = message.split_once(' ').unwrap();
            let found = number_of(&run(store.get(&key(name))).unwrap().bytes);
            let n = n.parse().unwrap();
            assert!(found == n || name == "swap" && found > n, "{name}: {found}, acknowledged {n}");
        }
        let listed: Vec<_> = run(list_all(&store, "", None).try_collect()).unwrap();
        for meta in listed {
            number_of(&run(store.get(&meta.key)).unwrap().bytes);
        }
    }
}

#[tokio::test]
async fn the_stores_own_files_are_no_objects() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path()).unwrap();
    assert_eq!(store.list("", None).await.unwrap().objects, []);
    for name in [".niente~", ".niente~/open", ".niente~/x/y"] {
        for result in [
            store.get(&key(name)).await.map(|_| ()),
            store.put_if_absent(&key(name), "x".into()).await.map(|_| ()),
            store.delete(&key(name)).await,
        ] {
            assert!(matches!(result, Err(Error::InvalidKey(InvalidKey::NotInFolder { .. }))), "{name}: {result:?}");
        }
    }
    // Elsewhere the name is free.
    store.put_if_absent(&key("a/.niente~"), "x".into()).await.unwrap();
    assert_eq!(store.list("", None).await.unwrap().objects.len(), 1);
}

#[tokio::test]
async fn objects_are_plain_files_and_foreign_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path()).unwrap();
    store.put_if_absent(&key("acme/l0/x.parquet"), "bytes".into()).await.unwrap();
    assert_eq!(fs::read(folder.path().join("acme/l0/x.parquet")).unwrap(), b"bytes");

    fs::write(folder.path().join("acme/back\\slash"), "not ours").unwrap();
    fs::create_dir(folder.path().join("acme/empty")).unwrap();
    let listed: Vec<_> = list_all(&store, "", None).try_collect().await.unwrap();
    assert_eq!(listed.iter().map(|meta| meta.key.as_str()).collect::<Vec<_>>(), ["acme/l0/x.parquet"]);

    store.delete(&key("acme/l0/x.parquet")).await.unwrap();
    assert!(!folder.path().join("acme/l0").exists(), "folders go with their last object");
    assert!(folder.path().join("acme").exists());
}

#[tokio::test]
async fn a_file_is_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path()).unwrap();
    store.put_if_absent(&key("a/b"), "x".into()).await.unwrap();
    for (name, reason) in [("a", "other objects lie below it"), ("a/b/c", "a part of its path is an object")] {
        let error = store.put_if_absent(&key(name), "y".into()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FixRequest);
        assert!(error.to_string().ends_with(reason), "{error}");
    }
    assert_eq!(files(&unfinished(folder.path())), 0);
}

#[test]
fn opening_what_is_no_folder_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let link = folder.path().join("link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("nowhere/at/all"), &link).unwrap();
    for (path, reason) in [
        (file.clone(), "it is a file, not a folder; choose another path"),
        (file.join("below"), "a part of the path is a file, not a folder; choose another path"),
        #[cfg(unix)]
        (link, "the store's folder is not there, or was removed while it is in use"),
    ] {
        let error = FolderStore::open(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("opening {}: {reason}", path.display()));
        assert_eq!(error.kind(), ErrorKind::GiveUp);
    }
    FolderStore::open(folder.path().join("several/new/folders")).unwrap();
}

#[tokio::test]
async fn a_folder_that_is_gone_is_an_error_and_not_an_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = FolderStore::open(folder.path()).unwrap();
    folder.close().unwrap();
    assert!(matches!(store.list("", None).await, Err(Error::Io { action: Action::List, .. })));
    let written = store.put_if_absent(&key("x"), "x".into()).await;
    assert!(matches!(written, Err(Error::Io { action: Action::Write, .. })), "{written:?}");
}
