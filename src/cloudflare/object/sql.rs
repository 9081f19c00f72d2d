//! The object's SQLite, behind the store's interface.

use std::cell::{Cell, RefCell};

use worker::State;
use worker::js_sys::{JsString, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};

use crate::cloudflare::platform::js;
use crate::store::StoreError;
use crate::store::sql::{Grown, Sql, Value};

/// Beyond this a JavaScript number is not exact: 2^53.
const INTEGER_MAX: i64 = 1 << 53;
/// Values that `glue.js` adds to the cells: rows, rows read, rows written.
const FIGURES: u32 = 3;

/// The factor of rows written where one number holds them with rows read.
const WRITTEN: f64 = (1 << 26) as f64;

/// The database of this object.
pub(super) struct PlatformSql {
    storage: JsValue,
    sql: JsValue,
    /// Statements as JavaScript strings, by their address: copied once.
    statements: RefCell<Vec<(&'static str, JsString)>>,
    rows_read: Cell<u64>,
    rows_written: Cell<u64>,
}

impl PlatformSql {
    pub(super) fn new(state: &State) -> Result<Self, JsValue> {
        let storage = state.as_raw().storage()?;
        let sql = storage.sql().into();
        let (rows_read, rows_written) = (Cell::new(0), Cell::new(0));
        Ok(Self {
            storage: storage.into(),
            sql,
            statements: RefCell::default(),
            rows_read,
            rows_written,
        })
    }

    /// Rows written since the object woke, by the cursors' own figures.
    pub(super) fn rows_written(&self) -> u64 {
        self.rows_written.get()
    }

    /// Runs a function with a statement that JavaScript knows already, and counts its rows.
    fn statement(
        &self,
        sql: &'static str,
        run: impl FnOnce(&JsString) -> Result<f64, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statements = self.statements.borrow_mut();
        let known = statements
            .iter()
            .position(|(known, _)| std::ptr::eq(*known, sql));
        let index = known.unwrap_or_else(|| {
            statements.push((sql, sql.into()));
            statements.len() - 1
        });
        let Some((_, statement)) = statements.get(index) else {
            return Ok(());
        };
        let figures = run(statement)?;
        add(&self.rows_read, figures % WRITTEN);
        add(&self.rows_written, figures / WRITTEN);
        Ok(())
    }
}

impl Sql for PlatformSql {
    /// By the cursors' own figures, since the object woke.
    fn rows_read(&self) -> u64 {
        self.rows_read.get()
    }

    fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
        let cells = js::query(&self.sql, sql, &bind(params)?).map_err(|error| failed(&error))?;
        let count = cells.length().saturating_sub(FIGURES);
        let figure = |index| cells.get(count + index).as_f64().unwrap_or_default();
        add(&self.rows_read, figure(1));
        add(&self.rows_written, figure(2));
        let rows = figure(0) as u32;
        let Some(columns) = count.checked_div(rows) else {
            return Ok(Vec::new());
        };
        let row = |row| {
            let cells = (row * columns..(row + 1) * columns).map(|index| cells.get(index));
            cells.map(|cell| read(&cell)).collect()
        };
        (0..rows).map(row).collect()
    }

    fn run(&self, sql: &'static str, params: &[Value]) -> Result<(), StoreError> {
        self.statement(sql, |statement| {
            js::run(&self.sql, statement, &bind(params)?).map_err(|error| failed(&error))
        })
    }

    fn grow(&self, sql: &'static str, grown: &Grown<'_>) -> Result<(), StoreError> {
        let exact = |number| exact(i64::try_from(number).unwrap_or(i64::MAX));
        let [row, version, seq] = [exact(grown.row)?, exact(grown.version)?, exact(grown.seq)?];
        let at = grown.at as f64;
        // One text crosses for the price of one, and marks are ASCII.
        let texts = [grown.mark, grown.text].concat();
        self.statement(sql, |statement| {
            let figures = js::grow(
                &self.sql,
                statement,
                row,
                version,
                seq,
                at,
                &texts,
                grown.mark.len(),
            );
            figures.map_err(|error| failed(&error))
        })
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        let size =
            Reflect::get(&self.sql, &"databaseSize".into()).map_err(|error| failed(&error))?;
        let size = size.as_f64();
        size.map(|bytes| bytes as u64)
            .ok_or_else(|| StoreError("its size is no number".to_owned()))
    }

    fn transaction(
        &self,
        body: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut refused = None;
        let mut run = || match body() {
            Ok(()) => Ok(JsValue::UNDEFINED),
            Err(error) => {
                refused = Some(error);
                // An exception in JavaScript causes the rollback.
                Err(JsValue::from_str("rolled back"))
            }
        };
        let storage: &js::Transactions = self.storage.unchecked_ref();
        let done = storage.transaction_sync(&mut run);
        match (refused, done) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(failed(&error)),
            (None, Ok(_)) => Ok(()),
        }
    }
}

/// A number as JavaScript has it.
fn exact(number: i64) -> Result<f64, StoreError> {
    if INTEGER_MAX.unsigned_abs() < number.unsigned_abs() {
        return Err(StoreError(format!("{number} is beyond 2^53")));
    }
    Ok(number as f64)
}

/// Values as one JSON text: it crosses into JavaScript at once, instead of value by value.
fn bind(values: &[Value]) -> Result<String, StoreError> {
    for value in values {
        if let Value::Integer(number) = value {
            exact(*number)?;
        }
    }
    serde_json::to_string(values).map_err(|error| StoreError(error.to_string()))
}

fn read(cell: &JsValue) -> Result<Value, StoreError> {
    if let Some(number) = cell.as_f64() {
        let is_exact = number.fract() == 0.0 && number.abs() <= INTEGER_MAX as f64;
        return is_exact
            .then_some(Value::Integer(number as i64))
            .ok_or_else(|| StoreError(format!("{number} is not a whole number below 2^53")));
    }
    if let Some(text) = js::text(cell) {
        return Ok(Value::Text(text));
    }
    if cell.is_null() {
        return Ok(Value::Null);
    }
    Err(StoreError("a cell is neither number nor text".to_owned()))
}

fn add(sum: &Cell<u64>, rows: f64) {
    sum.set(sum.get().saturating_add(rows as u64));
}

fn failed(error: &JsValue) -> StoreError {
    StoreError(js::describe(error))
}
