//! An in-memory NetBox: the REST subset the sidecar uses, with its measured quirks.
