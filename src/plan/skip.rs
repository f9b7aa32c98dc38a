//! Programs that skip every type of a schema.

use crate::decode::{Skip, SkipPrograms};
use crate::schema::{Kind, NodeId, Record, Schema};
use crate::{Error, Limits, Result};

/// The maximum length of a record's program that is inlined into the programs using it. Longer ones are separate
/// programs, because the programs of nested records would grow exponentially.
const INLINE: usize = 8;

/// Compiles the skip programs of one writer's schema.
pub(super) fn compile(schema: &Schema, limits: &Limits) -> Result<SkipPrograms> {
    let (data_depth, zero_byte_items) = (limits.value_depth(), limits.zero_byte_items);
    let states = vec![State::Untouched; schema.len()];
    let mut compiler = Compiler { schema, states, named: Vec::new(), depth: 0, max_depth: limits.type_depth() };
    let types = schema.ids().map(|id| compiler.program(id)).collect::<Result<_>>()?;
    Ok(SkipPrograms { types, named: compiler.named, data_depth, zero_byte_items })
}

struct Compiler<'s> {
    schema: &'s Schema,
    /// The state of each record, by the type's number.
    states: Vec<State>,
    named: Vec<Box<[Skip]>>,
    depth: usize,
    max_depth: usize,
}

/// Returns the error for types that nest too deep.
#[cold]
pub(super) fn too_deep(limit: usize) -> Error {
    Error::limit("schema_depth", format!("types nest more than {limit} deep"))
}

#[derive(Clone)]
enum State {
    Untouched,
    Open,
    Inline(Vec<Skip>),
    Named(usize),
}

impl Compiler<'_> {
    fn program(&mut self, id: NodeId) -> Result<Box<[Skip]>> {
        let program = self.nested(id)?;
        Ok(match *program {
            // The program only calls a numbered one.
            [Skip::Named(number)] if !self.named[number].is_empty() => self.named[number].clone(),
            _ => program,
        })
    }

    fn nested(&mut self, id: NodeId) -> Result<Box<[Skip]>> {
        // References let types nest much deeper than the JSON that declares them.
        self.depth += 1;
        if self.depth > self.max_depth {
            return Err(too_deep(self.max_depth));
        }
        let mut out = Vec::new();
        self.add(id, &mut out)?;
        self.depth -= 1;
        Ok(out.into())
    }

    fn add(&mut self, id: NodeId, out: &mut Vec<Skip>) -> Result<()> {
        let schema = self.schema;
        let skip = match &schema.node(id).kind {
            Kind::Null => return Ok(()),
            Kind::Boolean => flat(0, 1, 0),
            Kind::Int | Kind::Long | Kind::Enum(_) => flat(1, 0, 0),
            Kind::Float => flat(0, 4, 0),
            Kind::Double => flat(0, 8, 0),
            Kind::Fixed(fixed) => flat(0, fixed.size, 0),
            Kind::Bytes | Kind::String => flat(0, 0, 1),
            Kind::Array(item) => Skip::Array(self.nested(*item)?),
            Kind::Map(value) => Skip::Map(self.nested(*value)?),
            Kind::Union(branches) => {
                Skip::Union(branches.iter().map(|branch| self.nested(*branch)).collect::<Result<_>>()?)
            }
            Kind::Record(record) => return self.add_record(id, record, out),
        };
        push(out, skip);
        Ok(())
    }

    fn add_record(&mut self, id: NodeId, record: &Record, out: &mut Vec<Skip>) -> Result<()> {
        if matches!(self.states[id.index()], State::Untouched) {
            self.states[id.index()] = State::Open;
            let mut skips = Vec::new();
            self.depth += 1;
            if self.depth > self.max_depth {
                return Err(too_deep(self.max_depth));
            }
            for field in &record.fields {
                self.add(field.schema, &mut skips)?;
            }
            self.depth -= 1;
            if matches!(self.states[id.index()], State::Open) && weight(&skips) <= INLINE {
                self.states[id.index()] = State::Inline(skips);
            } else {
                let program = self.reserve(id);
                self.named[program] = skips.into();
            }
        }
        if let State::Inline(skips) = &self.states[id.index()] {
            for skip in skips {
                push(out, skip.clone());
            }
        } else {
            let program = self.reserve(id);
            out.push(Skip::Named(program));
        }
        Ok(())
    }

    /// Returns the number of this record's program, and assigns one if it has none.
    fn reserve(&mut self, id: NodeId) -> usize {
        if let State::Named(program) = self.states[id.index()] {
            return program;
        }
        self.named.push(Box::default());
        self.states[id.index()] = State::Named(self.named.len() - 1);
        self.named.len() - 1
    }
}

fn weight(skips: &[Skip]) -> usize {
    let nested = |skip: &Skip| match skip {
        Skip::Array(inner) | Skip::Map(inner) => 1 + weight(inner),
        Skip::Union(branches) => 1 + branches.iter().map(|branch| weight(branch)).sum::<usize>(),
        _ => 1,
    };
    skips.iter().map(nested).sum()
}

fn flat(varints: usize, bytes: usize, blobs: usize) -> Skip {
    Skip::Flat { varints, bytes, blobs }
}

/// Appends a skip, merged with the previous one if possible.
pub(super) fn push(out: &mut Vec<Skip>, skip: Skip) {
    let Skip::Flat { varints, bytes, blobs } = skip else { return out.push(skip) };
    if (varints, bytes, blobs) == (0, 0, 0) {
        return;
    }
    if let Some(Skip::Flat { varints: v, bytes: b, blobs: l }) = out.last_mut() {
        let varints_fit = varints == 0 || (*b == 0 && *l == 0);
        let bytes_fit = bytes == 0 || *l == 0;
        if varints_fit && bytes_fit {
            *v += varints;
            *b = b.saturating_add(bytes);
            *l += blobs;
            return;
        }
    }
    out.push(skip);
}
