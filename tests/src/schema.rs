//! Any field of the public API, asked for with values that fit its types: so that a rule is tried on all fields, those of tomorrow too.

use std::collections::BTreeMap;

use async_graphql::parser::{
    parse_schema,
    types::{
        BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
    },
};

/// How deep answers are asked for.
const DEPTH: usize = 4;
/// How deep inputs nest.
const INPUT_DEPTH: usize = 4;

/// The types of the public schema.
pub struct Schema(BTreeMap<String, TypeKind>);

/// Where values come from.
pub trait Values {
    /// An id for an argument or input field of this name.
    fn id(&mut self, name: &str) -> String;
    /// Text for an argument or input field of this name.
    fn text(&mut self, name: &str) -> String;
}

impl Schema {
    /// As the gateway serves it.
    pub fn of_gateway() -> Self {
        let document = parse_schema(convene_gateway::sdl()).unwrap();
        let types = document
            .definitions
            .into_iter()
            .filter_map(|one| match one {
                TypeSystemDefinition::Type(ty) => {
                    Some((ty.node.name.node.to_string(), ty.node.kind))
                }
                _ => None,
            });
        Self(types.collect())
    }

    /// Names of the fields of `Query`, `Mutation` or `Subscription`.
    pub fn fields(&self, root: &str) -> Vec<String> {
        let fields = self.object(root).iter();
        fields
            .map(|field| field.node.name.node.to_string())
            .collect()
    }

    /// An operation that asks one field of a root for all that it can answer.
    pub fn ask(&self, root: &str, field: &str, values: &mut impl Values) -> String {
        let mut fields = self.object(root).iter();
        let field = fields.find(|one| one.node.name.node == *field).unwrap();
        let asked = self.field(&field.node, DEPTH, values).unwrap_or_default();
        format!("{} {{ {asked} }}", root.to_lowercase())
    }

    fn object(&self, name: &str) -> &[async_graphql::Positioned<FieldDefinition>] {
        match self.0.get(name) {
            Some(TypeKind::Object(object)) => &object.fields,
            Some(TypeKind::Interface(interface)) => &interface.fields,
            _ => panic!("the schema has no {name}"),
        }
    }

    /// A field with its arguments and all that is below it; `None` when that would be too deep.
    fn field(
        &self,
        field: &FieldDefinition,
        depth: usize,
        values: &mut impl Values,
    ) -> Option<String> {
        let arguments = field.arguments.iter().map(|one| &one.node);
        let arguments = self.inputs(arguments, INPUT_DEPTH, values);
        let arguments = match arguments.as_str() {
            "" => arguments,
            _ => format!("({arguments})"),
        };
        let selection = self.selection(named(&field.ty.node), depth, values)?;
        Some(format!("{}{arguments}{selection}", field.name.node))
    }

    fn selection(&self, name: &str, depth: usize, values: &mut impl Values) -> Option<String> {
        let below = |values: &mut _| -> Option<Vec<String>> {
            let depth = depth.checked_sub(1)?;
            let fields = self.object(name).iter();
            Some(
                fields
                    .filter_map(|one| self.field(&one.node, depth, values))
                    .collect(),
            )
        };
        match self.0.get(name) {
            Some(TypeKind::Object(_)) => {
                let fields = below(values)?;
                (!fields.is_empty()).then(|| format!(" {{ {} }}", fields.join(" ")))
            }
            Some(TypeKind::Interface(_)) => {
                let depth = depth.checked_sub(1)?;
                let own = below(values)?.join(" ");
                let mut cases = String::new();
                for (case, kind) in &self.0 {
                    if let TypeKind::Object(object) = kind
                        && object.implements.iter().any(|one| one.node == *name)
                        && let Some(selection) = self.selection(case, depth.min(1), values)
                    {
                        cases.push_str(&format!(" ... on {case}{selection}"));
                    }
                }
                Some(format!(" {{ __typename {own}{cases} }}"))
            }
            Some(TypeKind::Union(union)) => {
                let depth = depth.checked_sub(1)?;
                let members = union.members.iter();
                let cases = members.filter_map(|member| {
                    let selection = self.selection(&member.node, depth, values)?;
                    Some(format!(" ... on {}{selection}", member.node))
                });
                let cases: String = cases.collect();
                Some(format!(" {{ __typename{cases} }}"))
            }
            _ => Some(String::new()),
        }
    }

    fn inputs<'a>(
        &self,
        wanted: impl Iterator<Item = &'a InputValueDefinition>,
        depth: usize,
        values: &mut impl Values,
    ) -> String {
        let given = wanted.filter_map(|one| {
            let name = one.name.node.as_str();
            let value = self.value(name, &one.ty.node, depth, values)?;
            Some(format!("{name}: {value}"))
        });
        given.collect::<Vec<_>>().join(", ")
    }

    fn value(
        &self,
        name: &str,
        ty: &Type,
        depth: usize,
        values: &mut impl Values,
    ) -> Option<String> {
        if let BaseType::List(item) = &ty.base {
            return Some(format!("[{}]", self.value(name, item, depth, values)?));
        }
        let quoted = |text: String| serde_json::Value::from(text).to_string();
        match named(ty) {
            "ID" => Some(quoted(values.id(name))),
            // A cursor that is no cursor would be refused before anything is looked up.
            "String" if ty.nullable && name == "after" => None,
            "String" => Some(quoted(values.text(name))),
            // A span that begins before it ends.
            "DateTime" if ["to", "end"].contains(&name) => {
                Some(quoted("2099-01-02T00:00:00Z".into()))
            }
            "DateTime" => Some(quoted("2099-01-01T00:00:00Z".into())),
            "Int" if name.ends_with("Ms") => Some("60000".into()),
            "Int" => Some("1".into()),
            "Float" => Some("0.5".into()),
            "Boolean" => Some("true".into()),
            "JSON" => Some("{ any: 1 }".into()),
            other => match self.0.get(other) {
                Some(TypeKind::Enum(one)) => one
                    .values
                    .first()
                    .map(|one| one.node.value.node.to_string()),
                Some(TypeKind::InputObject(input)) => {
                    let depth = depth.checked_sub(1)?;
                    let fields = input.fields.iter().map(|one| &one.node);
                    Some(format!("{{ {} }}", self.inputs(fields, depth, values)))
                }
                _ => panic!("no value is known for {other}; say one here"),
            },
        }
    }
}

/// The name below lists and non-null marks.
fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named(item),
    }
}
