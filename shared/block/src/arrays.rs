//! Columns of a record batch as arrays of the type that the format gives them.

use arrow_array::{
    ArrayRef, BinaryArray, FixedSizeBinaryArray, ListArray, PrimitiveArray, RecordBatch, StringViewArray,
    cast::AsArray, types::ArrowPrimitiveType,
};

use crate::Error;

pub(crate) fn missing(what: &str) -> Error {
    Error::Foreign(format!("it has no column `{what}` of the right type"))
}

pub(crate) fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    rows.column_by_name(name).ok_or_else(|| missing(name))
}

pub(crate) fn ids(rows: &RecordBatch, name: &str) -> Result<FixedSizeBinaryArray, Error> {
    column(rows, name)?.as_fixed_size_binary_opt().cloned().ok_or_else(|| missing(name))
}

pub(crate) fn text(rows: &RecordBatch, name: &str) -> Result<StringViewArray, Error> {
    as_text(column(rows, name)?)
}

pub(crate) fn as_text(array: &ArrayRef) -> Result<StringViewArray, Error> {
    array.as_string_view_opt().cloned().ok_or_else(|| missing("text"))
}

pub(crate) fn binary(array: &ArrayRef) -> Result<BinaryArray, Error> {
    array.as_binary_opt::<i32>().cloned().ok_or_else(|| missing("binary"))
}

pub(crate) fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<PrimitiveArray<T>, Error> {
    array.as_primitive_opt::<T>().cloned().ok_or_else(|| missing(&T::DATA_TYPE.to_string()))
}

pub(crate) fn list(rows: &RecordBatch, name: &str) -> Result<ListArray, Error> {
    as_list(column(rows, name)?)
}

pub(crate) fn optional_list(rows: &RecordBatch, name: &str) -> Result<Option<ListArray>, Error> {
    rows.column_by_name(name).map(as_list).transpose()
}

pub(crate) fn as_list(array: &ArrayRef) -> Result<ListArray, Error> {
    array.as_list_opt::<i32>().cloned().ok_or_else(|| missing("list"))
}

/// A field of the structs in a list.
pub(crate) fn field<'a>(items: &'a ArrayRef, name: &str) -> Result<&'a ArrayRef, Error> {
    items.as_struct_opt().and_then(|items| items.column_by_name(name)).ok_or_else(|| missing(name))
}
