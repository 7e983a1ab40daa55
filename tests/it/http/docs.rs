//! The page that shows the OpenAPI document.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::{Service, answer};

/// Returns the files that a page or style sheet loads: `src`, `href` and `url(...)`.
fn references(text: &str) -> BTreeSet<String> {
    let after = |mark: &str, end: &[char]| -> Vec<String> {
        text.split(mark).skip(1).filter_map(|rest| rest.split(end).next()).map(str::to_owned).collect()
    };
    let found = ["src=\"", "href=\""].iter().flat_map(|mark| after(mark, &['"'])).chain(after("url(", &[')']));
    found
        .map(|reference| reference.trim_matches(['"', '\'']).to_owned())
        .filter(|reference| !reference.starts_with("data:") && !reference.starts_with('#'))
        .collect()
}

#[tokio::test]
async fn the_page_and_all_it_loads_come_from_here() {
    let service = Service::new().await;
    let moved = answer(service.request(Method::GET, "/docs")).await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (303, "/docs/"));
    let page = answer(service.request(Method::GET, "/docs/")).await;
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    let loaded = references(&page.text);
    assert!(loaded.len() >= 5, "{loaded:?}");
    for reference in &loaded {
        assert!(!reference.contains("//"), "{reference} is elsewhere");
        let asset =
            answer(service.request(Method::GET, &format!("/docs/{}", reference.trim_start_matches("./")))).await;
        assert_eq!(asset.status, 200, "{reference}");
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
        if reference.ends_with(".css") {
            let further = references(&asset.text);
            assert_eq!(further, BTreeSet::new(), "{reference}");
        }
    }
    answer(service.request(Method::GET, "/docs/nothing.js")).await.expect(404);
}

#[tokio::test]
async fn the_page_shows_the_document_of_this_service_and_asks_nobody_about_it() {
    let service = Service::new().await;
    let settings = answer(service.request(Method::GET, "/docs/swagger-initializer.js")).await.text;
    assert!(settings.contains("\"../openapi.json\""), "{settings}");
    assert!(settings.contains("\"validatorUrl\": \"none\""), "{settings}");
    let document: Value = answer(service.request(Method::GET, "/openapi.json")).await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
}
