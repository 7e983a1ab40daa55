//! Calls and their answers.

use super::*;

#[tokio::test]
async fn each_call_has_its_path() {
    let server = Server::answering(|_| xml(404, "error_not_found.xml")).await;
    let client = server.client();
    let range = |first: &str, last: &str| NetBlock::new(first.parse().unwrap(), last.parse().unwrap()).unwrap();
    assert!(client.org(&example()).await.unwrap().is_none());
    assert!(client.poc(&PocHandle::new("EX1-ARIN").unwrap()).await.unwrap().is_none());
    assert!(client.customer(&CustomerHandle::new("C00000001").unwrap()).await.unwrap().is_none());
    assert!(client.net(&NetHandle::new("NET-1/../?x#").unwrap()).await.unwrap().is_none());
    assert!(client.most_specific_net(range("192.0.2.0", "192.0.2.255")).await.unwrap().is_none());
    assert!(client.most_specific_net(range("2001:db8::", "2001:db8::ffff")).await.unwrap().is_none());
    assert!(client.parent_net(range("192.0.2.0", "192.0.2.255")).await.unwrap().is_none());
    let paths: Vec<String> = server.seen().into_iter().map(|seen| seen.uri).collect();
    insta::assert_snapshot!(paths.join("\n"), @"
    /rest/org/EXAMPLE-1
    /rest/poc/EX1-ARIN
    /rest/customer/C00000001
    /rest/net/NET-1%2F..%2F%3FX%23
    /rest/net/mostSpecificNet/192.0.2.0/192.0.2.255
    /rest/net/mostSpecificNet/2001:db8::/2001:db8::ffff
    /rest/net/parentNet/192.0.2.0/192.0.2.255
    ");
}

#[tokio::test]
async fn objects_arrive() {
    let server =
        Server::answering(|asked| xml(200, ["org.xml", "poc_role.xml", "customer.xml", "net.xml"][asked])).await;
    let client = server.client();
    let org = client.org(&example()).await.unwrap().unwrap();
    let (poc, _) = org.pocs.last_key_value().unwrap();
    let poc = client.poc(poc).await.unwrap().unwrap();
    let customer = client.customer(&CustomerHandle::new("C00000001").unwrap()).await.unwrap().unwrap();
    let net = client.net(&NetHandle::new("NET-192-0-2-0-1").unwrap()).await.unwrap().unwrap();
    insta::assert_snapshot!(format!("{} {} {} {}", org.handle, poc.handle, customer.handle, net.handle), @"EXAMPLE-1 EXNOC-ARIN C00000001 NET-192-0-2-0-1");
    assert_eq!(client.clone().requests(), 4);
}

#[tokio::test]
async fn a_base_url_with_a_path_keeps_it() {
    let server = Server::answering(|_| xml(200, "org.xml")).await;
    client(&format!("{}/proxy/arin/", server.url), settings()).org(&example()).await.unwrap();
    assert_eq!(server.seen().remove(0).uri, "/proxy/arin/rest/org/EXAMPLE-1");
}

#[tokio::test]
async fn a_key_that_has_worked_is_not_blamed_for_a_bad_request() {
    let server =
        Server::answering(|asked| if asked == 0 { xml(200, "org.xml") } else { xml(400, "error_bad_request.xml") })
            .await;
    let client = server.client();
    client.org(&example()).await.unwrap();
    assert!(matches!(client.org(&example()).await.unwrap_err().kind, ErrorKind::Refused(_)));
}

#[tokio::test]
async fn a_gateways_404_is_no_absence() {
    let server = Server::answering(|_| xml(404, "gateway_not_found.html")).await;
    let error = server.client().org(&example()).await.unwrap_err();
    insta::assert_snapshot!(error, @"org EXAMPLE-1: the answer (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <html> <head><title>404 Not Found</title></head> <body><center><h1>404 Not Found</h1></center></body> </html>");
    assert_eq!(server.seen().len(), 1);
}
