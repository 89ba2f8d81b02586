"""What became of the blobs' rows: ``quality.*``, written by the landing as it goes.

For every blob rowsRead = rowsLoaded + rowsRejected. Belongs here: the declarations. Does not belong here: the tests a row must
pass (``raw`` declares them, ``engines`` applies them).
"""

from film_assets.tables.declaration import Column, Table

rejected_rows = Table(
    name="quality.rejected_rows",
    key=("blob", "line", "column", "value"),
    text="Rows of a blob that could not be loaded, and values that could not and are null in the tables.",
    columns=(
        Column("blob", "VARCHAR", "The blob: cast, crew, names, ratings or titles."),
        Column("line", "BIGINT", "Line of the blob; 1 is the header."),
        Column("column", "VARCHAR", "The column of the bad value; null where the row as a whole was rejected."),
        Column("value", "VARCHAR", "The bad value, or element of a list; null where the row as a whole was rejected."),
        Column("reason", "VARCHAR", "What is wrong with it."),
        Column("text", "VARCHAR", "The whole line; bytes that are not UTF-8 stand as the replacement character."),
    ),
)

profiles = Table(
    name="quality.profiles",
    key=("blob", "column"),
    text="A first look at the columns of the raw tables: how many values, how many different ones, and which lie outermost.",
    columns=(
        Column("blob", "VARCHAR", "The blob: cast, crew, names, ratings or titles."),
        Column("position", "SMALLINT", "Place of the column in the table, from 1."),
        Column("column", "VARCHAR", "The column."),
        Column("rows", "BIGINT", "Rows of the table."),
        Column("nulls", "BIGINT", "Rows that have no value there."),
        Column("distinct", "BIGINT", "How many different values there are, to about 2 %."),
        Column("minimum", "VARCHAR", "The least value, as text."),
        Column("maximum", "VARCHAR", "The greatest value, as text."),
        Column("mean", "DOUBLE", "The mean of a column of numbers."),
    ),
)

blobs = Table(
    name="quality.blobs",
    key=("blob",),
    text="The version of each blob that the tables were built from, and an account of its rows.",
    columns=(
        Column("blob", "VARCHAR", "The blob: cast, crew, names, ratings or titles."),
        Column("etag", "VARCHAR", "Its ETag at the source, or what stands for one there."),
        Column("lastModified", "TIMESTAMP", "When it was last written at the source, in UTC."),
        Column("bytes", "BIGINT", "Its size at the source."),
        Column("rowsRead", "BIGINT", "Its lines but the header."),
        Column("rowsLoaded", "BIGINT", "Rows in the raw table."),
        Column("rowsRejected", "BIGINT", "Rows rejected whole."),
        Column("landedAt", "TIMESTAMP", "When it was landed, in UTC."),
    ),
)
