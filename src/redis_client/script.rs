//! Scripts: each is one step in Redis that nothing can come between.

/// A script in Lua. It gets the prefix of all keys and one argument in JSON, whose fields it reads by name.
#[derive(Debug)]
pub struct Script {
    pub(super) name: &'static str,
    pub(super) code: redis::Script,
}

impl Script {
    /// Makes a script of its text.
    #[must_use]
    pub fn new(name: &'static str, text: &str) -> Self {
        let code = format!("{}\n{text}", include_str!("prelude.lua"));
        Self { name, code: redis::Script::new(&code) }
    }

    /// Makes a script that finds the functions of a library in the table `lib`.
    #[must_use]
    pub fn with_library(name: &'static str, library: &str, text: &str) -> Self {
        Self::new(name, &format!("local lib = (function()\n{library}\nend)()\n{text}"))
    }
}
