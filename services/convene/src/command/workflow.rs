//! Workflows at an author's desk; no node is asked.

use std::path::Path;

use convene_kit::{Error, Result};
use convene_workflows::{Problem, TEMPLATES, parse};

/// Prints every problem of every file; fails when there is one.
pub fn check(files: &[impl AsRef<Path>]) -> Result<()> {
    let mut wrong = 0;
    for file in files {
        let file = file.as_ref();
        let source = std::fs::read_to_string(file).map_err(|error| {
            let message = format!("{} cannot be read: {error}", file.display());
            Error::invalid("file", "FILE_UNREADABLE", message)
        })?;
        match parse(&source) {
            Ok(definition) => {
                let steps = definition.all().len();
                let name = definition.name;
                super::print(&format!(
                    "{}: {name} can be published, {steps} steps\n",
                    file.display()
                ));
            }
            Err(problems) => {
                wrong += problems.len();
                for problem in problems {
                    super::print(&format!("{}\n", said(file, &problem)));
                }
            }
        }
    }
    match wrong {
        0 => Ok(()),
        1 => Err(Error::refused("INVALID_WORKFLOW", "there is one problem")),
        many => Err(Error::refused(
            "INVALID_WORKFLOW",
            format!("there are {many} problems"),
        )),
    }
}

/// As editors and terminals jump to it: `file:line: where: what`.
fn said(file: &Path, problem: &Problem) -> String {
    let place = match problem.path.as_str() {
        "" => String::new(),
        path => format!("{path}: "),
    };
    format!(
        "{}:{}: {place}{}",
        file.display(),
        problem.line.max(1),
        problem.message
    )
}

/// Prints the names of all, or one.
pub fn template(name: Option<&str>) -> Result<()> {
    let Some(name) = name else {
        for template in TEMPLATES {
            let title =
                parse(template.source).map_or_else(|_| String::new(), |parsed| parsed.title);
            super::print(&format!("{:<22}{title}\n", template.name));
        }
        return Ok(());
    };
    let found = TEMPLATES.iter().find(|template| template.name == name);
    let template = found.ok_or_else(|| {
        let names: Vec<_> = TEMPLATES.iter().map(|template| template.name).collect();
        let message = format!(
            "there is no template `{name}`; there are {}",
            names.join(", ")
        );
        Error::invalid("name", "TEMPLATE_UNKNOWN", message)
    })?;
    super::print(template.source);
    Ok(())
}
