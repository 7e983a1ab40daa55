//! The errors of whatever is kept in Redis.

use redis::{ErrorKind, RedisError};

use crate::{
    retry::Retry,
    tls::{self, Distrust},
};

/// What Redis says to whoever it does not know, or does not let do something.
const NOT_ALLOWED: [&str; 3] = ["NOAUTH", "WRONGPASS", "NOPERM"];

/// A step in Redis that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("queue.url cannot be used")]
    Address(#[from] RedisError),
    /// Certificates cannot be checked.
    #[error("the certificates of Redis cannot be checked")]
    Trust(#[from] tls::Error),
    /// Whoever answered presented a certificate that is not trusted.
    #[error(
        "Redis presented a certificate that is not trusted: {distrust}; put it, or that of the authority that signed it, \
         into the PEM file of queue.ca_file"
    )]
    Distrusted {
        /// The reason.
        distrust: Distrust,
        /// The cause.
        source: RedisError,
    },
    /// Redis did not answer, or refused.
    #[error("Redis did not do it: {operation}")]
    Redis {
        /// The name of the script or command.
        operation: &'static str,
        /// The cause.
        source: RedisError,
    },
    /// Redis holds something else than we put there.
    #[error("Redis holds something else than expected: {operation}")]
    Foreign {
        /// The name of the script or command.
        operation: &'static str,
        /// The reason why it cannot be read.
        source: Option<serde_json::Error>,
    },
}

impl Error {
    /// Returns whether trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Address(_) | Self::Trust(_) | Self::Foreign { .. } => Retry::Never,
            Self::Redis { source, .. } if is_refused(source) => Retry::Never,
            Self::Distrusted { .. } | Self::Redis { .. } => Retry::Backoff,
        }
    }

    /// Returns whether Redis answered, and said no.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Address(_) | Self::Trust(_) | Self::Distrusted { .. } | Self::Foreign { .. } => false,
            Self::Redis { source, .. } => matches!(source.kind(), ErrorKind::Server(_) | ErrorKind::Extension),
        }
    }
}

/// Returns whether Redis does not know the user, or does not let them do it.
fn is_refused(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || error.code().is_some_and(|code| NOT_ALLOWED.contains(&code))
}

#[cfg(test)]
mod tests {
    use redis::IntoConnectionInfo;

    use super::*;

    fn said(line: &str) -> Error {
        let source = redis::parse_redis_value(line.as_bytes()).unwrap().extract_error().unwrap_err();
        Error::Redis { operation: "find", source }
    }

    #[test]
    fn what_only_a_person_mends_is_not_worth_another_try() {
        let address = Error::Address("redis.example.net:6379".into_connection_info().unwrap_err());
        assert_eq!(address.retry(), Retry::Never);
        for refusal in ["-WRONGPASS invalid user name or password", "-NOAUTH Authentication required.", "-NOPERM no"] {
            assert_eq!(said(&format!("{refusal}\r\n")).retry(), Retry::Never, "{refusal}");
        }
        for trouble in ["-LOADING Redis is loading", "-OOM no memory", "-READONLY a replica", "-MISCONF no disk"] {
            assert_eq!(said(&format!("{trouble}\r\n")).retry(), Retry::Backoff, "{trouble}");
        }
    }
}
