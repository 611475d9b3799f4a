//! HTTP in front of a function.

use std::time::Duration;

use http::Request;
use niente_lambda_host::{Fault, Front, Host};
use serde_json::{Value, json};

use crate::vocabulary::{ask, behind, body, post, puppet, talk};

/// The event that the function gets for a request, head and body as they are sent.
fn event(host: &Host, head: &str, body: &str) -> Value {
    let length = body.len();
    let request = format!("{head}\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    let answer = talk(&host.url("puppet"), &request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

fn get(host: &Host, path: &str) -> Value {
    event(host, &format!("GET {path} HTTP/1.1"), "")
}

/// Has the puppet return this, and gives the status, a header and the body that the client gets.
fn returned(host: &Host, value: Value, header: &str) -> (u16, String, String) {
    let response = post(&host.url("puppet"), &json!({ "do": "echo", "value": value }));
    let values = response.headers().get_all(header).iter().map(|value| value.to_str().unwrap());
    (response.status().as_u16(), values.collect::<Vec<_>>().join("|"), body(&response).to_owned())
}

#[tokio::test]
async fn a_function_url_gives_the_request_as_it_is() {
    let host = behind(Front::Url).await;
    let head = "PUT //a%2Fb/%C3%BC?q=%7B%7D&q=2&r HTTP/1.1\r\nX-Scope-OrgID: acme\r\nX-Two: 1\r\nx-two: 2\r\n\
                User-Agent: me\r\nCookie: a=1; b=2";
    let event = event(&host, head, "");
    assert_eq!(event["version"], "2.0");
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("//a%2Fb/%C3%BC"), &json!("q=%7B%7D&q=2&r")));
    assert_eq!(event["queryStringParameters"], json!({ "q": "{},2", "r": "" }));
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    let headers = &event["headers"];
    assert_eq!((&headers["x-scope-orgid"], &headers["x-two"]), (&json!("acme"), &json!("1,2")));
    assert_eq!((&headers["cookie"], &headers["x-forwarded-proto"]), (&Value::Null, &json!("https")));
    let http = &event["requestContext"]["http"];
    assert_eq!((&http["method"], &http["userAgent"]), (&json!("PUT"), &json!("me")));
    assert_eq!(event["requestContext"]["stage"], "$default");
    let bare = get(&host, "/");
    for absent in ["body", "cookies", "queryStringParameters"] {
        assert!(bare.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn only_text_is_not_base64() {
    for front in [Front::Url, Front::http_api("$default"), Front::Alb] {
        let host = behind(front).await;
        for (headers, expected) in [
            ("Content-Type: application/json; charset=utf-8", json!(["[1]", false])),
            ("Content-Type: text/plain", json!(["[1]", false])),
            ("Content-Type: application/x-protobuf", json!(["WzFd", true])),
            ("Content-Type: application/json\r\nContent-Encoding: gzip", json!(["WzFd", true])),
            ("X-No: type", json!(["WzFd", true])),
        ] {
            let event = event(&host, &format!("POST / HTTP/1.1\r\n{headers}"), "[1]");
            assert_eq!(json!([event["body"], event["isBase64Encoded"]]), expected, "{headers}");
        }
    }
}

#[tokio::test]
async fn what_a_function_returns_becomes_an_answer() {
    for front in [Front::Url, Front::http_api("prod")] {
        let host = behind(front).await;
        let full = json!({
            "statusCode": 418,
            "headers": { "Content-Type": "text/plain", "X-N": 1 },
            "cookies": ["a=1", "b=2"],
            "body": "aGk=",
            "isBase64Encoded": true,
        });
        assert_eq!(returned(&host, full.clone(), "content-type"), (418, "text/plain".into(), "hi".into()));
        assert_eq!(returned(&host, full, "set-cookie").1, "a=1|b=2");
        for (value, expected) in [(json!({ "a": 1 }), r#"{"a":1}"#), (json!("text"), "text"), (json!(null), "null")] {
            assert_eq!(returned(&host, value, "content-type"), (200, "application/json".into(), expected.into()));
        }
        let empty = returned(&host, json!({ "statusCode": 204 }), "x-none");
        assert_eq!(empty, (204, String::new(), String::new()));
    }
}

#[tokio::test]
async fn each_front_words_failures_its_own_way() {
    let malformed = json!({ "statusCode": "soon" });
    let (internal, gateway) = (r#"{"message":"Internal Server Error"}"#, "<html>");
    for (front, failed, throttled, expected) in [
        (Front::Url, 502, 429, "Internal Server Error"),
        (Front::StreamingUrl, 502, 429, "Internal Server Error"),
        (Front::http_api("$default"), 500, 503, internal),
        (Front::Alb, 502, 502, gateway),
    ] {
        let host = behind(front.clone()).await;
        let response = post(&host.url("puppet"), &json!({ "do": "error" }));
        assert_eq!(response.status(), failed, "{front:?}");
        assert!(body(&response).starts_with(expected), "{}", body(&response));
        if front != Front::StreamingUrl {
            assert_eq!(returned(&host, malformed.clone(), "x-none").0, failed, "{front:?}");
        }
        host.faults(|_| Fault::Throttle);
        assert_eq!(post(&host.url("puppet"), &json!({})).status(), throttled, "{front:?}");
        host.faults(|_| Fault::LoseAnswer);
        let lost = talk(&host.url("puppet"), "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(lost, "", "{front:?}");
    }
}

#[tokio::test]
async fn a_stage_is_part_of_the_path_and_the_path_is_decoded() {
    let host = behind(Front::http_api("prod")).await;
    assert!(host.url("puppet").ends_with("/prod"));
    let event = get(&host, "/prod/api%2Fv2/a%20b%3Fc?q=%20");
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/prod/api/v2/a b"), &json!("q=%20")));
    assert_eq!(
        (&event["requestContext"]["stage"], &event["rawPath"]),
        (&json!("prod"), &event["requestContext"]["http"]["path"])
    );
    let outside = talk(&host.url("puppet"), "GET /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(outside.starts_with("HTTP/1.1 404"), "{outside}");
    let default = behind(Front::http_api("$default")).await;
    assert_eq!(get(&default, "/api")["rawPath"], "/api");
}

#[tokio::test]
async fn an_http_api_does_not_wait_forever() {
    let front = Front::HttpApi { stage: "$default".into(), timeout: Duration::from_millis(50) };
    let host = Host::start([puppet().front(front)]).await;
    let response = post(&host.url("puppet"), &json!({ "do": "sleep", "ms": 60_000 }));
    assert_eq!((response.status().as_u16(), body(&response)), (503, r#"{"message":"Service Unavailable"}"#));
}

#[tokio::test]
async fn a_load_balancer_has_one_value_or_all() {
    let head = "POST /a%2Fb?q=%7B&q=2 HTTP/1.1\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Type: text/plain";
    let host = behind(Front::Alb).await;
    let one = event(&host, head, "text");
    assert_eq!((&one["path"], &one["httpMethod"], &one["body"]), (&json!("/a%2Fb"), &json!("POST"), &json!("text")));
    assert_eq!((&one["queryStringParameters"], &one["headers"]["x-two"]), (&json!({ "q": "2" }), &json!("2")));
    assert!(one["requestContext"]["elb"]["targetGroupArn"].is_string());
    let answer = json!({ "statusCode": 200, "headers": { "x-a": "1" }, "multiValueHeaders": { "x-a": ["2", "3"] } });
    assert_eq!(returned(&host, answer.clone(), "x-a").1, "1");
    assert_eq!(returned(&host, json!({ "no": "status" }), "x-a").0, 502);

    let host = behind(Front::AlbMultiValue).await;
    let all = event(&host, head, "text");
    assert_eq!(all["multiValueQueryStringParameters"], json!({ "q": ["%7B", "2"] }));
    assert_eq!((&all["multiValueHeaders"]["x-two"], &all["headers"]), (&json!(["1", "2"]), &Value::Null));
    assert_eq!(returned(&host, answer, "x-a").1, "2|3");
}

#[tokio::test]
async fn each_front_has_its_limits() {
    let sent = |host: &Host, bytes| {
        let request = Request::post(host.url("puppet")).header("content-type", "application/x-protobuf");
        ask(request.body(vec![7; bytes]).unwrap()).status().as_u16()
    };
    // (What is base64 is a third larger, and the rest of the event counts too. The echo has to fit on the way back.)
    for front in [Front::Url, Front::http_api("$default")] {
        let host = behind(front).await;
        assert_eq!((sent(&host, 4_600_000), sent(&host, 4_800_000), sent(&host, 7_000_000)), (200, 413, 413));
    }
    let host = behind(Front::Alb).await;
    assert_eq!((sent(&host, 600_000), sent(&host, 800_000), sent(&host, 1_100_000)), (200, 413, 413));
    let answer = |bytes| json!({ "statusCode": 200, "body": "x".repeat(bytes) });
    assert_eq!(returned(&host, answer(900_000), "x-none").0, 200);
    let large = json!({ "do": "large", "bytes": 1_100_000 });
    assert_eq!(post(&host.url("puppet"), &large).status(), 502);
}

#[tokio::test]
async fn a_head_request_gets_no_body() {
    let host = behind(Front::Url).await;
    let answer = talk(&host.url("puppet"), "HEAD /ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n"), "{answer}");
}
