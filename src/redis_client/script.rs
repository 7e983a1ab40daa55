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

    /// Makes a script that finds the functions of libraries in the table `lib`. Each goes on from the table of the one
    /// before and returns it; a step that needs only the first is faster, as Redis runs all of the text each time.
    #[must_use]
    pub fn with_libraries(name: &'static str, libraries: &[&str], text: &str) -> Self {
        let wrapped = |library: &&str| format!("lib = (function()\n{library}\nend)()\n");
        let libraries: String = libraries.iter().map(wrapped).collect();
        Self::new(name, &format!("local lib\n{libraries}{text}"))
    }
}
