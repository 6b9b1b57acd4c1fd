//! What people see of the story.

use crate::command::print;

/// Prints steps as they happen.
#[derive(Debug, Default)]
pub struct Timeline {
    step: usize,
}

impl Timeline {
    /// A heading.
    pub fn act(&mut self, title: &str) {
        print(&format!("\n{title}\n"));
    }

    /// Who did what, and what came of it.
    pub fn step(&mut self, who: &str, what: &str, outcome: &str) {
        self.step += 1;
        print(&format!(
            "{:>3}  {who:<12} {what:<44} {outcome}\n",
            self.step
        ));
    }

    /// A line below a step.
    pub fn note(&mut self, text: &str) {
        print(&format!("{:>18}{text}\n", ""));
    }
}
