//! What a document may cost, judged before anything expands it: fragments multiply, so a few hundred bytes can ask for more than a
//! machine can count.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{Directive, ExecutableDocument, Selection, SelectionSet},
};
use convene_kit::{Error, Result};

/// Text of a document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Depth of a query, in fields.
pub const DEPTH_MAX: usize = 12;
/// Cost of a query: a field costs 1, a page its items.
pub const COMPLEXITY_MAX: usize = 5_000;
/// Selections of a document after its fragments are expanded.
const SELECTIONS_MAX: usize = 5_000;
/// Nested selection sets, those of fragments included.
const NESTING_MAX: usize = 2 * DEPTH_MAX;
/// Directives on one field or fragment.
const DIRECTIVES_MAX: usize = 8;
/// Aliases in a document.
const ALIASES_MAX: usize = 30;

/// Refuses a text that is not worth parsing.
pub fn check_text(text: &str) -> Result<()> {
    if text.len() <= DOCUMENT_BYTES_MAX {
        return Ok(());
    }
    Err(Error::invalid(
        "query",
        "DOCUMENT_TOO_LARGE",
        format!("a document has at most {DOCUMENT_BYTES_MAX} bytes; send values as variables"),
    ))
}

/// Refuses a document whose shape is out of bounds; takes time in its length, whatever its fragments multiply to.
pub fn check_shape(document: &ExecutableDocument) -> Result<()> {
    let mut shape = Shape {
        document,
        aliases: 0,
        fragments: HashMap::new(),
    };
    let mut selections = 0usize;
    for (_, operation) in document.operations.iter() {
        shape.directives(&operation.node.directives)?;
        let measured = shape.measure(&operation.node.selection_set, 1)?;
        selections = selections.saturating_add(measured.selections);
    }
    if selections > SELECTIONS_MAX {
        return Err(Error::invalid(
            "query",
            "TOO_MANY_SELECTIONS",
            format!(
                "the document selects more than {SELECTIONS_MAX} fields with its fragments expanded; send several requests"
            ),
        ));
    }
    Ok(())
}

/// Refuses what validation measured.
pub fn check_cost(depth: usize, complexity: usize) -> Result<()> {
    if depth > DEPTH_MAX {
        return Err(too_deep());
    }
    if complexity > COMPLEXITY_MAX {
        return Err(Error::invalid(
            "query",
            "QUERY_TOO_COMPLEX",
            format!(
                "the query costs {complexity}, more than {COMPLEXITY_MAX}; ask for smaller pages or fewer fields"
            ),
        ));
    }
    Ok(())
}

fn too_deep() -> Error {
    Error::invalid(
        "query",
        "QUERY_TOO_DEEP",
        format!("a query is at most {DEPTH_MAX} fields deep; ask for inner objects by their id"),
    )
}

/// How big a selection set is with its fragments expanded.
#[derive(Clone, Copy, Default)]
struct Size {
    selections: usize,
    nesting: usize,
}

struct Shape<'a> {
    document: &'a ExecutableDocument,
    aliases: usize,
    /// Measured once each; `None` while being measured, so that a cycle is seen.
    fragments: HashMap<&'a Name, Option<Size>>,
}

impl<'a> Shape<'a> {
    fn measure(&mut self, set: &'a Positioned<SelectionSet>, level: usize) -> Result<Size> {
        if level > NESTING_MAX {
            return Err(too_deep());
        }
        let mut size = Size::default();
        for selection in &set.node.items {
            let inner = match &selection.node {
                Selection::Field(field) => {
                    self.directives(&field.node.directives)?;
                    self.aliases += usize::from(field.node.alias.is_some());
                    if self.aliases > ALIASES_MAX {
                        return Err(Error::invalid(
                            "query",
                            "TOO_MANY_ALIASES",
                            format!(
                                "a document has at most {ALIASES_MAX} aliases; send several requests"
                            ),
                        ));
                    }
                    self.measure(&field.node.selection_set, level + 1)?
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.node.directives)?;
                    self.measure(&fragment.node.selection_set, level + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives)?;
                    self.fragment(&spread.node.fragment_name.node, level + 1)?
                }
            };
            size.selections = size
                .selections
                .saturating_add(1)
                .saturating_add(inner.selections);
            size.nesting = size.nesting.max(inner.nesting + 1);
        }
        Ok(size)
    }

    fn fragment(&mut self, name: &'a Name, level: usize) -> Result<Size> {
        match self.fragments.get(name) {
            Some(Some(size)) if level + size.nesting > NESTING_MAX + 1 => Err(too_deep()),
            Some(Some(size)) => Ok(*size),
            Some(None) => Err(Error::invalid(
                "query",
                "FRAGMENT_CYCLE",
                "a fragment must not contain itself, not even through others",
            )),
            None => {
                // Validation reports fragments that are not there.
                let Some(fragment) = self.document.fragments.get(name) else {
                    return Ok(Size::default());
                };
                self.directives(&fragment.node.directives)?;
                self.fragments.insert(name, None);
                let size = self.measure(&fragment.node.selection_set, level)?;
                self.fragments.insert(name, Some(size));
                Ok(size)
            }
        }
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Result<()> {
        if directives.len() <= DIRECTIVES_MAX {
            return Ok(());
        }
        Err(Error::invalid(
            "query",
            "TOO_MANY_DIRECTIVES",
            format!("a field has at most {DIRECTIVES_MAX} directives"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn reason(text: &str) -> String {
        match check_shape(&parse_query(text).unwrap()) {
            Ok(()) => String::new(),
            Err(error) => error.reason.into_owned(),
        }
    }

    /// `{ ...f0 }` where each of `levels` fragments spreads the next one `times` times.
    fn multiplying(levels: usize, times: usize) -> String {
        let mut text = String::from("{ ...f0 }");
        for n in 0..levels {
            let next = format!("...f{} ", n + 1).repeat(times);
            text.push_str(&format!(" fragment f{n} on Query {{ {next} }}"));
        }
        text + &format!(" fragment f{levels} on Query {{ viewer {{ role }} }}")
    }

    #[test]
    fn fragments_are_counted_without_being_expanded() {
        assert_eq!(reason(&multiplying(3, 4)), "");
        // 40^20 selections: only counting can refuse them in time.
        assert_eq!(reason(&multiplying(20, 40)), "TOO_MANY_SELECTIONS");
        assert_eq!(reason(&multiplying(1_000, 1)), "QUERY_TOO_DEEP");
        // Deep enough only through a fragment that was measured near the surface.
        let late = format!(
            "{{ ...f0 {} }}{}",
            "a { ".repeat(10) + "...f0" + &" }".repeat(10),
            multiplying(16, 1).trim_start_matches("{ ...f0 }")
        );
        assert_eq!(reason(&late), "QUERY_TOO_DEEP");
    }

    #[test]
    fn a_fragment_in_itself_is_refused() {
        let round = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
        assert_eq!(reason(round), "FRAGMENT_CYCLE");
        assert_eq!(reason("{ ...missing }"), "");
    }

    #[test]
    fn aliases_and_directives_are_counted_at_their_edges() {
        let aliases = |count: usize| {
            let fields: String = (0..count).map(|n| format!("a{n}: x ")).collect();
            format!("{{ x ...f }} fragment f on Query {{ {fields} }}")
        };
        assert_eq!(reason(&aliases(ALIASES_MAX)), "");
        assert_eq!(reason(&aliases(ALIASES_MAX + 1)), "TOO_MANY_ALIASES");
        let directives = |count: usize| format!("{{ x {} }}", "@a ".repeat(count));
        assert_eq!(reason(&directives(DIRECTIVES_MAX)), "");
        assert_eq!(
            reason(&directives(DIRECTIVES_MAX + 1)),
            "TOO_MANY_DIRECTIVES"
        );
        let everywhere = format!("query {} {{ x }}", "@a ".repeat(DIRECTIVES_MAX + 1));
        assert_eq!(reason(&everywhere), "TOO_MANY_DIRECTIVES");
    }

    #[test]
    fn text_and_cost_have_edges() {
        assert!(check_text(&" ".repeat(DOCUMENT_BYTES_MAX)).is_ok());
        let long = check_text(&" ".repeat(DOCUMENT_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(long.reason, "DOCUMENT_TOO_LARGE");
        assert!(check_cost(DEPTH_MAX, COMPLEXITY_MAX).is_ok());
        let deep = check_cost(DEPTH_MAX + 1, 1).unwrap_err();
        assert_eq!(deep.reason, "QUERY_TOO_DEEP");
        let dear = check_cost(1, COMPLEXITY_MAX + 1).unwrap_err();
        assert_eq!(dear.reason, "QUERY_TOO_COMPLEX");
    }
}
