//! What a server was asked.

/// One request as received, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// The query as sent, without the question mark; empty when there is none.
    pub query: String,
    /// How many objects its body holds: the length of an array, 1 for an object, 0 for no body.
    pub rows: usize,
}

/// Requests in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests(pub Vec<Request>);

impl Requests {
    /// How many there were of a method on paths that contain `part`.
    #[must_use]
    pub fn count(&self, method: &str, part: &str) -> usize {
        self.about(method, part).count()
    }

    /// How many objects the bodies of a method held, on paths that contain `part`.
    #[must_use]
    pub fn rows(&self, method: &str, part: &str) -> usize {
        self.about(method, part).map(|request| request.rows).sum()
    }

    /// How many there were that may write: all but `GET`.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.0.iter().filter(|request| request.method != "GET").count()
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.len()
    }

    fn about(&self, method: &str, part: &str) -> impl Iterator<Item = &Request> {
        self.0.iter().filter(move |request| request.method.eq_ignore_ascii_case(method) && request.path.contains(part))
    }
}
