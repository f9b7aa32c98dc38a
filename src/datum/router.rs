//! Selection of a row's writer schema by its header.

use std::collections::HashSet;

use super::cells::Cell;
use super::framing::{Header, Headers};
use super::probe::Probe;
use super::route::Route;
use super::row_ids::{RowId, RowIds};
use super::writers::WriterSchemas;
use super::{Framing, SchemaId};
use crate::binary::Fault;

/// The reason for which a row has no route.
pub(super) enum NoRoute {
    /// This id has not been looked up yet.
    Missing(SchemaId),
    /// The row is bad.
    Bad(Fault),
}

/// The framing and the schemas by which routes are selected.
#[derive(Clone, Copy)]
pub(super) struct Router<'a> {
    pub(super) framing: Framing,
    pub(super) known: &'a WriterSchemas,
    /// Ids that were looked up and are unknown.
    pub(super) unknown: &'a HashSet<SchemaId>,
    /// Ids in another column; empty if there is none.
    pub(super) ids: &'a RowIds,
}

impl Router<'_> {
    /// Returns all possible interpretations of a row.
    pub(super) fn headers(&self, id: RowId, row: &[u8]) -> Headers {
        match id {
            RowId::Missing => self.framing.headers(row),
            RowId::Known(header) => [Some(header), None, None, None, None],
            RowId::Malformed(..) => [None; 5],
        }
    }

    /// Returns the route of a row. Several interpretations are possible only if the framing is detected from the row.
    pub(super) fn route(&self, id: RowId, cell: Cell<'_>, probe: &mut Probe<'_>) -> Result<Route, NoRoute> {
        let headers = self.headers(id, cell.row());
        let mut found = Vec::new();
        for header in headers.into_iter().flatten() {
            let Some(writer) = self.writer(header)? else { continue };
            let route = Route::new(header, writer, cell);
            if self.known.is_certain(header.framing) {
                return Ok(route);
            }
            found.push(route);
        }
        match found[..] {
            [route] if self.framing == Framing::Auto && route.header.id.is_none() => Ok(route.once()),
            [route] => Ok(route),
            [] => Err(NoRoute::Bad(self.refuse(id, cell.row(), headers.into_iter().flatten().next()))),
            _ => Self::only_sound(&found, cell, probe).map(Route::once).map_err(NoRoute::Bad),
        }
    }

    /// Returns the schema of an interpretation; `None` if it is unknown.
    fn writer(&self, header: Header) -> Result<Option<usize>, NoRoute> {
        let Some(id) = header.id else { return Ok(self.known.bare) };
        match self.known.find(header.framing, id) {
            Some(writer) => Ok(Some(writer)),
            None if self.known.looks_up(header.framing, id) && !self.unknown.contains(&id) => Err(NoRoute::Missing(id)),
            None => Ok(None),
        }
    }

    /// Returns the only interpretation in which the datum ends at the end of the row.
    fn only_sound(routes: &[Route], cell: Cell<'_>, probe: &mut Probe<'_>) -> Result<Route, Fault> {
        let (mut sound, mut fault) = (Vec::new(), None);
        for route in routes {
            match probe.check(route, cell) {
                Ok(()) => sound.push(*route),
                Err(first) => fault = fault.or(Some(first)),
            }
        }
        match (&sound[..], fault) {
            ([route], _) => Ok(*route),
            ([], Some(fault)) => Err(fault),
            _ => {
                let names: Vec<_> = sound.iter().map(|route| format!("{:?}", route.header.framing.name())).collect();
                let names = names.join(" and ");
                Err(Fault::data(format!("the row is a datum in more than one framing ({names}): name the framing")))
            }
        }
    }

    /// Returns the error of a row that has no schema. `header` is its first interpretation.
    #[cold]
    fn refuse(&self, id: RowId, row: &[u8], header: Option<Header>) -> Fault {
        match id {
            RowId::Malformed(len, first) => {
                return Fault::data(format!(
                    "the schema id of the row is {len} bytes that begin with {first:02x}: expected 4, 8 or 16 bytes, \
                     00 and 4 bytes, or 01 and 16 bytes"
                ));
            }
            RowId::Missing if !self.ids.is_empty() && self.framing == Framing::Datum => {
                return Fault::data("the schema id of the row is null");
            }
            RowId::Missing | RowId::Known(_) => {}
        }
        let start = row.iter().take(10).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        match header {
            Some(Header { framing, id: Some(id), .. }) => Fault::data(format!("{} is not known", framing.id_text(id))),
            Some(_) => Fault::data(format!("the row has no header that names a schema, it begins with [{start}]")),
            None => Fault::data(format!(
                "the row has no header of framing {:?}, it begins with [{start}]",
                self.framing.name()
            )),
        }
    }

    /// Returns the ids of a row with these headers that have not been looked up yet.
    pub(super) fn missing(&self, headers: Headers) -> impl Iterator<Item = SchemaId> {
        headers.into_iter().flatten().filter_map(|header| match self.writer(header) {
            Err(NoRoute::Missing(id)) => Some(id),
            _ => None,
        })
    }
}
