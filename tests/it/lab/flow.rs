//! All flows against the real NetBox.

use crate::scene::Target;

crate::flow::flows!(Target::lab());
