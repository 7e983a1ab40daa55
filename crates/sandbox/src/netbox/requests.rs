//! The requests that a server was asked.

/// One request as received, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// The number of objects in its body: the length of an array, 1 for an object, 0 for no body.
    pub(super) rows: usize,
}

impl Request {
    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path, with `/api` before it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Requests in the order they came.
pub type Requests = crate::server::Requests<Request>;

impl Requests {
    /// Returns how many there were of a method on paths that contain `part`.
    #[must_use]
    pub fn count(&self, method: &str, part: &str) -> usize {
        self.about(method, part).count()
    }

    /// Returns how many objects the bodies of a method held, on paths that contain `part`.
    #[must_use]
    pub fn rows(&self, method: &str, part: &str) -> usize {
        self.about(method, part).map(|request| request.rows).sum()
    }

    /// Returns how many there were that may write: all but `GET`.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.0.iter().filter(|request| request.method != "GET").count()
    }

    fn about(&self, method: &str, part: &str) -> impl Iterator<Item = &Request> {
        self.0.iter().filter(move |request| request.method.eq_ignore_ascii_case(method) && request.path.contains(part))
    }
}
