package rowfile

import (
	"bytes"
	"encoding/binary"
	"sort"

	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/weir-cdp/weir"
)

// footerEnd is what follows a Parquet file's footer: its length, and the magic.
const footerEnd = 8

// settle puts the footer's counts of pages by encoding in order. The library lists
// them in the order of a map, so that a column which outgrows its dictionary would
// give the same rows another file each time (invariant 2).
func settle(s *sink) error {
	failed := func(err error) error {
		return weir.Errorf(weir.Internal, "can't read the footer of what was written: %w", err)
	}
	var end [footerEnd]byte
	if _, err := s.at().ReadAt(end[:], s.size-footerEnd); err != nil {
		return failed(err)
	}
	old := make([]byte, binary.LittleEndian.Uint32(end[:]))
	start := s.size - footerEnd - int64(len(old))
	if _, err := s.at().ReadAt(old, start); err != nil {
		return failed(err)
	}
	meta, err := metadata.NewFileMetaData(old, nil)
	if err != nil {
		return failed(err)
	}
	settled := true
	for _, group := range meta.RowGroups {
		for _, column := range group.Columns {
			stats := column.MetaData.EncodingStats
			if len(stats) < 3 { // a dictionary and one kind of data page at most
				continue
			}
			settled = false
			sort.Slice(stats, func(i, j int) bool {
				if stats[i].PageType != stats[j].PageType {
					return stats[i].PageType < stats[j].PageType
				}
				return stats[i].Encoding < stats[j].Encoding
			})
		}
	}
	if settled {
		return nil
	}
	var fresh bytes.Buffer
	if _, err := meta.WriteTo(&fresh, nil); err != nil {
		return failed(err)
	}
	if fresh.Len() != len(old) {
		return weir.Errorf(weir.Internal, "a footer of %d bytes takes %d in order", len(old), fresh.Len())
	}
	return s.overwrite(start, fresh.Bytes())
}
