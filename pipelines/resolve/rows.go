package resolve

import (
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// This file holds the rows that go from step to step. Channels are named after
// them: "key" carries keyRow.

// keyRow: a record has a key. To match, by anchor.
type keyRow struct {
	Of       string
	Rule     string
	Hi       uint64
	Lo       uint64
	AnchorHi uint64
	AnchorLo uint64
	Record   string
	Tells    []byte
}

func (k keyRow) hash() evidence.Hash   { return evidence.Hash{Hi: k.Hi, Lo: k.Lo} }
func (k keyRow) anchor() evidence.Hash { return evidence.Hash{Hi: k.AnchorHi, Lo: k.AnchorLo} }

// recordRow: there is a record. To partition.
type recordRow struct {
	Record string
	Kind   string
	Limits []byte // packed evidence.Limited
	Hi, Lo uint64 // its digest, where records are compared
	Bare   bool   // nothing to compare
	Place  int64  // which of the rows that read took it is: see placeOfRow
}

// sizeRow: a task sent features of so many bytes. To count.
type sizeRow struct {
	Bytes int64
}

// priorRow: a record was of a profile. To partition.
type priorRow struct {
	Record  string
	Profile string
}

// usedRow: a profile id of old. To partition, the anonymous ones to place.
type usedRow struct {
	ID string
}

// groupRow: a record is in a group; rows of a group lie side by side. To
// partition.
type groupRow struct {
	Group   int64
	Rule    string
	Weight  float64
	Suspect int64 // 0: none
	Record  string
	Anchor  uint64
}

// suspectRow: a record stands for a part of a suspect's block; rows of a suspect
// lie side by side. To partition.
type suspectRow struct {
	Suspect    int64
	Parent     int64 // 0: none
	Identifier string
	Extra      int64
	Allowed    int64
	Record     string
	Anchor     uint64
}

// heldRow: a record holds a value. To attribute by value.
type heldRow struct {
	Place   int64 // of the record
	Kind    string
	Value   string
	Blocked bool
	Account bool
	Mailbox bool // blocked as a shared mailbox
}

// linkRow: the record at a place is of a profile. To own, which passes it on to all of
// attribute.
type linkRow struct {
	Place   int64
	Profile string
}

// ownedRow: a record of a profile holds a value. Of an increment; to attribute by value.
type ownedRow struct {
	Kind    string
	Value   string
	Profile string
	Blocked bool
	Account bool
}

// claimRow: a profile is found, or looks for its account, under a value. To belong
// by value: accounts on channel "account", persons on "person".
type claimRow struct {
	By      string
	Value   string
	Profile string
}

// employerRow: a value leads a person to one account. To accounts by person.
type employerRow struct {
	Profile string
	Account string
	By      string
	Value   string
}

// seenRow: an event or consent has a value. To attribute by value.
type seenRow struct {
	Kind    string
	Value   string
	Blocked bool
}

// besideRow: a value was seen in an event beside another, which is named by its
// hash. To attribute by value.
type besideRow struct {
	Kind  string
	Value string
	Hi    uint64
	Lo    uint64
}

// beforeRow: a value was of an anonymous profile. To attribute by value.
type beforeRow struct {
	Kind    string
	Value   string
	Profile string
}

// nodeRow: no record holds the value of this hash. To place.
type nodeRow struct {
	Hi        uint64
	Lo        uint64
	Partition int64 // where its value waits
	Links     bool
	Device    bool
	SharedBy  int64
	Before    string // the anonymous profile that had it
}

// attachedRow: a value of this hash was seen beside a value of the profile. To
// place.
type attachedRow struct {
	Hi      uint64
	Lo      uint64
	Profile string
}

// togetherRow: two values were seen together, the first held by no record. To
// place.
type togetherRow struct {
	Hi      uint64
	Lo      uint64
	OtherHi uint64
	OtherLo uint64
}

// movedRow: a value of an anonymous profile is now a known profile's, or gone or
// ambiguous. To place.
type movedRow struct {
	Hi     uint64
	Lo     uint64
	Before string
	Now    string // "": nobody's
}

// knownRow: a value's row of identity.identifiers, but for nodes, whose Profile
// comes with placedRow. To identifiers by value.
type knownRow struct {
	Kind      string
	Value     string
	Profile   string
	Ambiguous bool
	Node      bool
}

// placedRow: where a node belongs. To identifiers by value.
type placedRow struct {
	Hi        uint64
	Lo        uint64
	Profile   string
	Ambiguous bool
}

func byRecord(t *pipelines.Task, record string) int {
	return pipelines.PartitionOf(record, t.Spec().Partitions)
}

func byValue(t *pipelines.Task, kind, value string) int {
	return pipelines.PartitionOf(kind+"\x00"+value, t.Spec().Partitions)
}

func byHash(t *pipelines.Task, h evidence.Hash) int {
	return int(h.Lo % uint64(max(1, t.Spec().Partitions)))
}
