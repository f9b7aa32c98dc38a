//! Decodes Confluent-framed datums, one behind the other in a file, by arrow-avro: once for each line on the standard
//! input. Answers with the seconds it took, the seconds of processor time, the rows, and the sum of the first column.
//!
//! Arguments: the file, the schema as JSON, the schema's id.

use std::io::BufRead;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_avro::reader::ReaderBuilder;
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};

/// As many rows as Polars' engines pass on at a time.
const BATCH: usize = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let data = std::fs::read(&arguments[0])?;
    let id = Fingerprint::Id(arguments[2].parse()?);
    for line in std::io::stdin().lock().lines() {
        line?;
        let (start, start_cpu) = (Instant::now(), processor_time()?);
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        store.set(id, AvroSchema::new(arguments[1].clone()))?;
        let mut decoder =
            ReaderBuilder::new().with_batch_size(BATCH).with_writer_schema_store(store).with_active_fingerprint(id).build_decoder()?;
        let (mut rest, mut batches) = (&data[..], Vec::new());
        while !rest.is_empty() {
            rest = &rest[decoder.decode(rest)?..];
            if decoder.batch_is_full() || rest.is_empty() {
                batches.extend(decoder.flush()?);
            }
        }
        let (seconds, cpu) = (start.elapsed().as_secs_f64(), processor_time()? - start_cpu);
        let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        let sum: i64 = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values()).sum();
        println!("{seconds} {cpu} {rows} {sum}");
    }
    Ok(())
}

/// Seconds that this thread has run, as Linux counts them.
fn processor_time() -> Result<f64, Box<dyn std::error::Error>> {
    let nanos = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(nanos.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}
