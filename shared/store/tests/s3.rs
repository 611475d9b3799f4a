//! What only S3 has to show, over the wire: exact reads, requests, repetitions, and what its errors say.

#![allow(clippy::unwrap_used)] // in the helpers too

use std::{error::Error as _, time::Duration};

use niente_store::{
    Action, ETag, Error, ErrorKind, InvalidKey, ObjectKey, S3Location, S3Options, S3Store, Store,
    testing::{S3Server, ServerFault},
};

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

/// Options that try so often, without waiting long.
fn attempts(attempts: u32) -> S3Options {
    S3Options { attempts, first_wait: Duration::from_millis(2), ..S3Options::default() }
}

async fn store(server: &S3Server, options: S3Options) -> S3Store {
    let location = S3Location::new(S3Server::BUCKET, "").unwrap();
    server.store_as(location, options, server.credentials()).await
}

fn message(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn what_s3_answers_says_what_to_do() {
    const READ: &str = "reading a/x: ";
    let server = S3Server::start().await;
    let store = store(&server, attempts(1)).await;
    let endpoint = server.endpoint();
    for (status, code, kind, says) in [
        (404, "NoSuchKey", ErrorKind::Refresh, "there is no such object".to_owned()),
        (404, "NoSuchBucket", ErrorKind::GiveUp, "there is no bucket niente-test; create it, or name".to_owned()),
        (
            403,
            "AccessDenied",
            ErrorKind::GiveUp,
            "permission denied; allow s3:GetObject on arn:aws:s3:::niente-test/*".to_owned(),
        ),
        (403, "", ErrorKind::GiveUp, "permission denied; allow s3:GetObject".to_owned()),
        (
            400,
            "ExpiredToken",
            ErrorKind::GiveUp,
            "permission denied; the credentials have expired; renew them".to_owned(),
        ),
        (
            403,
            "InvalidAccessKeyId",
            ErrorKind::GiveUp,
            format!("permission denied; {endpoint} doesn't know the access key"),
        ),
        (
            403,
            "SignatureDoesNotMatch",
            ErrorKind::GiveUp,
            "permission denied; the secret key isn't that of the".to_owned(),
        ),
        (
            403,
            "RequestTimeTooSkewed",
            ErrorKind::GiveUp,
            "permission denied; this machine's clock is wrong; set it".to_owned(),
        ),
        (403, "InvalidObjectState", ErrorKind::GiveUp, "it is archived; restore it".to_owned()),
        (
            301,
            "PermanentRedirect",
            ErrorKind::GiveUp,
            format!("the bucket niente-test is not at {endpoint}, in eu-north-1; set AWS_REGION"),
        ),
        (
            400,
            "AuthorizationHeaderMalformed",
            ErrorKind::GiveUp,
            format!("the bucket niente-test is not at {endpoint}, in eu-north-1"),
        ),
        (503, "SlowDown", ErrorKind::Retry, "the store asks to slow down".to_owned()),
        (503, "ServiceUnavailable", ErrorKind::Retry, "the store asks to slow down".to_owned()),
        (429, "TooManyRequests", ErrorKind::Retry, "the store asks to slow down".to_owned()),
        (
            507,
            "InsufficientStorage",
            ErrorKind::GiveUp,
            "the storage is full; free space or raise the quota".to_owned(),
        ),
        (403, "QuotaExceeded", ErrorKind::GiveUp, "the storage is full".to_owned()),
        (500, "InternalError", ErrorKind::Retry, format!("the store did not answer; try again: {endpoint} fails")),
        (502, "", ErrorKind::Retry, format!("the store did not answer; try again: {endpoint} fails")),
        (400, "RequestTimeout", ErrorKind::Retry, "the store did not answer; try again".to_owned()),
        (409, "ConditionalRequestConflict", ErrorKind::Retry, "the store did not answer; try again".to_owned()),
        (501, "NotImplemented", ErrorKind::GiveUp, format!("{endpoint} can't do this; Niente needs")),
        (
            400,
            "InvalidRequest",
            ErrorKind::GiveUp,
            format!("{endpoint} answers 400 InvalidRequest: as the test wants it"),
        ),
        (416, "InvalidRange", ErrorKind::GiveUp, format!("{endpoint} answers without a body; is it an S3?")),
    ] {
        server.fail(1, ServerFault::Answer { status, code });
        let error = store.get(&key("a/x")).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {code}: {error}");
        assert!(message(&error).starts_with(&format!("{READ}{says}")), "{status} {code}: {}", message(&error));
    }
}

#[tokio::test]
async fn each_action_names_the_permission_that_it_lacks() {
    let server = S3Server::start().await;
    let location = S3Location::new(S3Server::BUCKET, "prod").unwrap();
    let store = server.store_as(location, attempts(1), server.credentials()).await;
    let (x, etag) = (key("x"), ETag::new("\"0\""));
    server.fail(usize::from(u8::MAX), ServerFault::Answer { status: 403, code: "AccessDenied" });
    for (error, says) in [
        (
            store.get(&x).await.map(drop),
            "reading x: permission denied; allow s3:GetObject on arn:aws:s3:::niente-test/prod/*",
        ),
        (store.head(&x).await.map(drop), "looking up x: permission denied; allow s3:GetObject on"),
        (
            store.list("a", None).await.map(drop),
            "listing a: permission denied; allow s3:ListBucket on arn:aws:s3:::niente-test to",
        ),
        (store.list_folders("a/", None).await.map(drop), "listing a/: permission denied; allow s3:ListBucket"),
        (store.put_if_absent(&x, "y".into()).await.map(drop), "writing x: permission denied; allow s3:PutObject on"),
        (
            store.put_if_match(&x, "y".into(), &etag).await.map(drop),
            "replacing x: permission denied; allow s3:PutObject and s3:GetObject",
        ),
        (store.delete(&x).await, "deleting x: permission denied; allow s3:DeleteObject"),
        (store.delete_if_match(&x, &etag).await, "deleting x: permission denied; allow s3:DeleteObject"),
    ] {
        let error = error.unwrap_err();
        assert!(error.to_string().starts_with(says), "{error}");
    }
}

#[tokio::test]
async fn who_is_not_known_is_told_so() {
    let server = S3Server::start().await;
    let (access, secret) = server.credentials();
    let location = |bucket| S3Location::new(bucket, "").unwrap();
    for (bucket, keys, says) in [
        (S3Server::BUCKET, ("somebody", secret), "doesn't know the access key; check AWS_ACCESS_KEY_ID"),
        (
            S3Server::BUCKET,
            (access, "a guess"),
            "the secret key isn't that of the access key; check AWS_SECRET_ACCESS_KEY",
        ),
        ("another-bucket", (access, secret), "there is no bucket another-bucket; create it, or name another one"),
    ] {
        let store = server.store_as(location(bucket), attempts(1), keys).await;
        for error in [
            store.get(&key("x")).await.map(drop).unwrap_err(),
            store.list("", None).await.map(drop).unwrap_err(),
            store.put_if_absent(&key("x"), "x".into()).await.map(drop).unwrap_err(),
        ] {
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(error.kind(), ErrorKind::GiveUp);
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let server = S3Server::start().await;
    let store = store(&server, attempts(2)).await;
    let endpoint = server.endpoint();
    drop(server);
    let error = store.get(&key("x")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { action: Action::Read, .. }), "{error:?}");
    assert!(message(&error).contains(&endpoint), "{}", message(&error));
    assert!(matches!(store.now().await, Err(Error::Unavailable { action: Action::Now, .. })));
}

#[tokio::test]
async fn what_passes_is_repeated() {
    for fault in [
        ServerFault::Answer { status: 503, code: "SlowDown" },
        ServerFault::Answer { status: 500, code: "InternalError" },
        ServerFault::Answer { status: 409, code: "ConditionalRequestConflict" },
        ServerFault::Reset,
        ServerFault::LoseAnswer,
        ServerFault::CutBody,
    ] {
        let server = S3Server::start().await;
        let store = store(&server, attempts(3)).await;
        let etag = store.put_if_absent(&key("x"), "0123456789".into()).await.unwrap();

        server.take_requests();
        server.fail(2, fault.clone());
        assert_eq!(store.get(&key("x")).await.unwrap().bytes, "0123456789", "{fault:?}");
        assert_eq!(server.take_requests().len(), 3, "{fault:?}");
        server.fail(2, fault.clone());
        assert_eq!(store.get_range(&key("x"), 2..8).await.unwrap(), "234567", "{fault:?}");
        server.fail(2, fault.clone());
        assert_eq!(store.get_suffix(&key("x"), 4).await.unwrap().bytes, "6789", "{fault:?}");

        // Only so often, and then it is said.
        server.fail(3, fault.clone());
        let error = store.get(&key("x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Retry, "{fault:?}: {error:?}");
        assert_eq!(store.get(&key("x")).await.unwrap().etag, etag, "{fault:?}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_finds_itself() {
    let server = S3Server::start().await;
    let store = store(&server, attempts(3)).await;
    let x = key("x");

    server.fail(1, ServerFault::LoseAnswer);
    let created = store.put_if_absent(&x, "first".into()).await;
    assert!(matches!(created, Err(Error::AlreadyExists { .. })), "{created:?}");
    let first = store.get(&x).await.unwrap();
    assert_eq!(first.bytes, "first");

    server.fail(1, ServerFault::LoseAnswer);
    let replaced = store.put_if_match(&x, "second".into(), &first.etag).await;
    assert!(matches!(replaced, Err(Error::Precondition { .. })), "{replaced:?}");
    let second = store.get(&x).await.unwrap();
    assert_eq!(second.bytes, "second");

    server.fail(1, ServerFault::LoseAnswer);
    let deleted = store.delete_if_match(&x, &second.etag).await;
    assert!(matches!(deleted, Err(Error::NotFound { .. })), "{deleted:?}");
    server.fail(1, ServerFault::LoseAnswer);
    store.delete(&x).await.unwrap();

    // Before it had an effect, repeating it gives it one.
    server.fail(1, ServerFault::Reset);
    let etag = store.put_if_absent(&x, "first".into()).await.unwrap();
    server.fail(1, ServerFault::Answer { status: 409, code: "ConditionalRequestConflict" });
    store.put_if_match(&x, "second".into(), &etag).await.unwrap();
}

#[tokio::test]
async fn a_server_that_says_412_of_what_is_missing_is_understood() {
    let server = S3Server::start().await;
    let store = store(&server, attempts(1)).await;
    let (x, etag) = (key("x"), ETag::new("\"0\""));
    let unmet = ServerFault::Answer { status: 412, code: "PreconditionFailed" };
    for there in [false, true] {
        if there {
            store.put_if_absent(&x, "x".into()).await.unwrap();
        }
        for action in [Action::Replace, Action::Delete] {
            server.fail(1, unmet.clone());
            let error = match action {
                Action::Replace => store.put_if_match(&x, "y".into(), &etag).await.unwrap_err(),
                _ => store.delete_if_match(&x, &etag).await.unwrap_err(),
            };
            match error {
                Error::Precondition { action: found, .. } => assert!(there && found == action),
                Error::NotFound { action: found, .. } => assert!(!there && found == action),
                error => panic!("{error:?}"),
            }
        }
    }
}

#[tokio::test]
async fn near_ranges_are_one_request() {
    const K: u64 = 1 << 10;
    let server = S3Server::start().await;
    let store = store(&server, attempts(1)).await;
    let bytes: Vec<u8> = (0..2_000 * K).map(|at| (at / 251) as u8).collect();
    store.put_if_absent(&key("x"), bytes.clone().into()).await.unwrap();
    for (ranges, requests) in [
        (vec![], 0),
        (vec![5..5, 7..7], 0),
        (vec![0..1, 10..20, 5..15], 1),
        (vec![0..K, 257 * K..258 * K], 1),
        (vec![0..K, 257 * K + 1..258 * K], 2),
        (vec![1_999 * K..2_000 * K, 7..7, 0..K, 3..4], 2),
    ] {
        server.take_requests();
        let read = store.get_ranges(&key("x"), &ranges).await.unwrap();
        for (read, range) in read.iter().zip(&ranges) {
            assert!(read == &bytes[range.start as usize..range.end as usize], "{range:?}");
        }
        assert_eq!(read.len(), ranges.len());
        assert_eq!(server.take_requests().len(), requests, "{ranges:?}");
    }

    // Who asks for too much is told of what was asked for, not of what it was merged into.
    let error = store.get_ranges(&key("x"), &[1_000 * K..1_001 * K, 1_100 * K..2_001 * K]).await.unwrap_err();
    assert_eq!(error.to_string(), "reading bytes 1126400..2049024 of x: the object has 2048000 bytes");
}

#[tokio::test]
async fn requests_are_what_the_trait_says() {
    let server = S3Server::start().await;
    let store = server.store("p").await;
    let etag = store.put_if_absent(&key("a/x"), "0123456789".into()).await.unwrap();
    server.take_requests();
    let bucket = format!("/{}", S3Server::BUCKET);
    let object = format!("{bucket}/p/a/x");

    store.get(&key("a/x")).await.unwrap();
    store.get_if_none_match(&key("a/x"), &etag).await.unwrap();
    store.get_range(&key("a/x"), 2..5).await.unwrap();
    store.get_suffix(&key("a/x"), 3).await.unwrap();
    store.get_suffix(&key("a/x"), 0).await.unwrap();
    store.head(&key("a/x")).await.unwrap();
    let read = format!("{object}?x-id=GetObject");
    let expected = [
        format!("GET {read}"),
        format!("GET {read}"),
        format!("GET {read} bytes=2-4"),
        format!("GET {read} bytes=-3"),
        format!("HEAD {object}"),
        format!("HEAD {object}"),
    ];
    assert_eq!(server.take_requests(), expected);

    store.list("a/", Some("a/b")).await.unwrap();
    store.list_folders("a/", None).await.unwrap();
    store.list_folders("", Some("a")).await.unwrap();
    let expected = [
        format!("GET {bucket}/?list-type=2&prefix=p%2Fa%2F&start-after=p%2Fa%2Fb"),
        format!("GET {bucket}/?list-type=2&delimiter=%2F&prefix=p%2Fa%2F"),
        format!("GET {bucket}/?list-type=2&delimiter=%2F&prefix=p%2F&start-after=p%2Fa%2F%F4%8F%BF%BF"),
    ];
    assert_eq!(server.take_requests(), expected);

    store.put_if_match(&key("a/x"), "y".into(), &etag).await.unwrap();
    store.delete(&key("a/x")).await.unwrap();
    let expected = [format!("PUT {object}?x-id=PutObject"), format!("DELETE {object}?x-id=DeleteObject")];
    assert_eq!(server.take_requests(), expected);
}

#[tokio::test]
async fn the_time_is_that_of_the_latest_answer() {
    let server = S3Server::start().await;
    let store = store(&server, attempts(1)).await;
    // None was seen yet: one cheap request, whatever its answer is.
    server.fail(1, ServerFault::Answer { status: 403, code: "AccessDenied" });
    let first = store.now().await.unwrap();
    assert_eq!(server.take_requests(), [format!("HEAD /{}/", S3Server::BUCKET)]);
    store.now().await.unwrap();
    assert_eq!(server.take_requests(), [""; 0]);

    store.put_if_absent(&key("x"), "x".into()).await.unwrap();
    assert!(store.now().await.unwrap() >= first);
    assert!(store.head(&key("x")).await.unwrap().modified >= first);
}

#[tokio::test]
async fn foreign_objects_are_left_out_and_passed_over() {
    let server = S3Server::start().await;
    let store = server.store("p").await;
    for n in 0..1_500 {
        server.insert(&format!("p/t//{n:04}"), "no key of ours");
        server.insert(&format!("p/{n:04}"), "beside the folders");
    }
    server.insert("p/t/x", "ours");
    let page = store.list("t/", None).await.unwrap();
    assert_eq!((page.objects.len(), page.next.as_deref()), (0, Some("t//0999")));
    let page = store.list("t/", page.next.as_deref()).await.unwrap();
    assert_eq!(page.objects.iter().map(|meta| meta.key.as_str()).collect::<Vec<_>>(), ["t/x"]);
    assert_eq!(page.next, None);

    let folders = store.list_folders("", None).await.unwrap();
    assert_eq!((folders.names, folders.next), (vec!["t".to_owned()], None));
    assert_eq!(store.list_folders("t/", None).await.unwrap().names, [""; 0]);
}

#[tokio::test]
async fn keys_and_prefix_share_the_room() {
    let server = S3Server::start().await;
    let store = server.store("prefix").await;
    let name = |length: usize| {
        let long = format!("{}/", "k".repeat(200)).repeat(6);
        long[..length].to_owned()
    };
    store.put_if_absent(&key(&name(1_017)), "x".into()).await.unwrap();
    assert_eq!(store.get(&key(&name(1_017))).await.unwrap().bytes, "x");
    let error = store.get(&key(&name(1_018))).await.unwrap_err();
    assert!(matches!(error, Error::InvalidKey(InvalidKey::TooLongBelow { .. })), "{error:?}");
}

#[tokio::test]
async fn requests_wait_for_their_turn() {
    let server = S3Server::start().await;
    let store = store(&server, S3Options { concurrency: 1, ..attempts(1) }).await;
    store.put_if_absent(&key("x"), vec![7; 3 << 20].into()).await.unwrap();
    let far = [0..1, 1 << 20..(1 << 20) + 1, 2 << 20..(2 << 20) + 1];
    assert_eq!(store.get_ranges(&key("x"), &far).await.unwrap().len(), 3);
    // A lost race looks again, and needs a turn for that too.
    let lost = store.put_if_match(&key("y"), "y".into(), &ETag::new("\"0\"")).await;
    assert!(matches!(lost, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = S3Server::start().await;
    let options = S3Options { answer_timeout: Duration::from_millis(100), ..attempts(1) };
    let location = S3Location::new(S3Server::BUCKET, "").unwrap();
    let store = server.store_at(&endpoint, location, options, server.credentials()).await;
    let error = store.put_if_absent(&key("x"), "x".into()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { action: Action::Write, .. }), "{error:?}");
    assert!(message(&error).contains(&endpoint), "{}", message(&error));
}

#[tokio::test]
async fn no_secret_is_shown() {
    let server = S3Server::start().await;
    let store = store(&server, attempts(1)).await;
    let (_, secret) = server.credentials();
    let error = store.get(&key("x")).await.unwrap_err();
    for text in [format!("{store:?}"), format!("{error:?}"), message(&error)] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(
        format!("{store:?}"),
        format!("S3Store {{ location: s3://niente-test, place: {:?} }}", server.endpoint())
    );
}
