//! Log output: where it goes and in which form.
