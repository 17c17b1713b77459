using RocksDbSharp;
using Store.State;

namespace Store.Storage;

/// <summary>How RocksDB is set up. Sized for members with a few hundred MiB: the newest values live in the state machine, not here.</summary>
static class RocksSettings
{
    /// <summary>Column families by <see cref="Table"/>. The names stand on disk.</summary>
    internal static readonly string[] Names = ["revisions", "meta"];

    internal static DbOptions Database()
    {
        var options = new DbOptions()
            .SetCreateIfMissing(true)
            .SetCreateMissingColumnFamilies(true)
            .SetParanoidChecks(true)
            .SetMaxOpenFiles(512)
            .SetStatsDumpPeriodSec(0)
            .SetInfoLogLevel(InfoLogLevel.Warn)
            .SetMaxLogFileSize(1 << 20)
            .SetKeepLogFileNum(2)
            .SetBytesPerSync(1 << 20);
        Native.Instance.rocksdb_options_set_atomic_flush(options.Handle, 1);
        Native.Instance.rocksdb_options_set_max_background_jobs(options.Handle, 2);
        Native.Instance.rocksdb_options_set_max_manifest_file_size(options.Handle, 4 << 20);
        return options;
    }

    /// <summary>The default family, then the tables in their order.</summary>
    internal static IReadOnlyList<ColumnFamilyOptions> Tables(RocksOptions options)
    {
        var cache = Cache.CreateLru((ulong)options.BlockCacheBytes);
        return
        [
            Family(64 << 10, 4 << 10, Compression.No, cache),
            // Revisions are written in order of their keys: larger blocks pack and compress better, and their index stays small.
            Family((ulong)options.MemtableBytes, 8 << 10, Compression.Lz4, cache),
            // Each batch rewrites a few rows here; with half of the memory it is never what makes the tables flush.
            Family((ulong)options.MemtableBytes / 2, 4 << 10, Compression.No, cache),
        ];
    }

    static ColumnFamilyOptions Family(ulong memtableBytes, ulong blockBytes, Compression compression, Cache cache) =>
        new ColumnFamilyOptions()
            .SetWriteBufferSize(memtableBytes)
            .SetMaxWriteBufferNumber(2)
            .SetCompression(compression)
            .SetLevelCompactionDynamicLevelBytes(true)
            .SetBlockBasedTableFactory(new BlockBasedTableOptions()
                .SetBlockSize(blockBytes)
                .SetBlockCache(cache)
                .SetCacheIndexAndFilterBlocks(true)
                .SetPinL0FilterAndIndexBlocksInCache(true));
}
