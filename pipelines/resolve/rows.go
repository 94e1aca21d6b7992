package resolve

import (
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// This file holds the rows that go from step to step. Channels are named after
// them: "key" carries keyRow.

// keyRow: a record has a key. To match, by anchor.
type keyRow struct {
	Of       string `parquet:"of,dict"`
	Rule     string `parquet:"rule,dict"`
	Hi       uint64 `parquet:"hi"`
	Lo       uint64 `parquet:"lo"`
	AnchorHi uint64 `parquet:"anchor_hi"`
	AnchorLo uint64 `parquet:"anchor_lo"`
	Record   string `parquet:"record"`
	Tells    []byte `parquet:"tells"`
}

func (k keyRow) hash() evidence.Hash   { return evidence.Hash{Hi: k.Hi, Lo: k.Lo} }
func (k keyRow) anchor() evidence.Hash { return evidence.Hash{Hi: k.AnchorHi, Lo: k.AnchorLo} }

// recordRow: there is a record. To partition.
type recordRow struct {
	Record string `parquet:"record"`
	Kind   string `parquet:"kind,dict"`
	Limits []byte `parquet:"limits"` // packed evidence.Limited
	Bare   bool   `parquet:"bare"`   // nothing to compare
}

// priorRow: a record was of a profile. To partition.
type priorRow struct {
	Record  string `parquet:"record"`
	Profile string `parquet:"profile"`
}

// usedRow: a profile id of old. To partition, the anonymous ones to place.
type usedRow struct {
	ID string `parquet:"id"`
}

// groupRow: a record is in a group; rows of a group lie side by side. To
// partition.
type groupRow struct {
	Group   int64   `parquet:"group"`
	Rule    string  `parquet:"rule,dict"`
	Weight  float64 `parquet:"weight"`
	Suspect int64   `parquet:"suspect"` // 0: none
	Record  string  `parquet:"record"`
}

// suspectRow: a record stands for a part of a suspect's block; rows of a suspect
// lie side by side. To partition.
type suspectRow struct {
	Suspect    int64  `parquet:"suspect"`
	Parent     int64  `parquet:"parent"` // 0: none
	Identifier string `parquet:"identifier,dict"`
	Extra      int64  `parquet:"extra"`
	Allowed    int64  `parquet:"allowed"`
	Record     string `parquet:"record"`
}

// heldRow: a record holds a value. To own by record.
type heldRow struct {
	Record  string `parquet:"record"`
	Kind    string `parquet:"kind,dict"`
	Value   string `parquet:"value"`
	Blocked bool   `parquet:"blocked"`
	Account bool   `parquet:"account"`
	Mailbox bool   `parquet:"mailbox"` // blocked as a shared mailbox
}

// linkRow: a record is of a profile. To own by record.
type linkRow struct {
	Record  string `parquet:"record"`
	Profile string `parquet:"profile"`
}

// ownedRow: a record of a profile holds a value. To attribute by value.
type ownedRow struct {
	Kind    string `parquet:"kind,dict"`
	Value   string `parquet:"value"`
	Profile string `parquet:"profile"`
	Blocked bool   `parquet:"blocked"`
	Account bool   `parquet:"account"`
}

// claimRow: a profile is found, or looks for its account, under a value. To belong
// by value: accounts on channel "account", persons on "person".
type claimRow struct {
	By      string `parquet:"by,dict"`
	Value   string `parquet:"value"`
	Profile string `parquet:"profile"`
}

// employerRow: a value leads a person to one account. To accounts by person.
type employerRow struct {
	Profile string `parquet:"profile"`
	Account string `parquet:"account"`
	By      string `parquet:"by,dict"`
	Value   string `parquet:"value"`
}

// seenRow: an event or consent has a value. To attribute by value.
type seenRow struct {
	Kind    string `parquet:"kind,dict"`
	Value   string `parquet:"value"`
	Blocked bool   `parquet:"blocked"`
}

// besideRow: a value was seen in an event beside another, which is named by its
// hash. To attribute by value.
type besideRow struct {
	Kind  string `parquet:"kind,dict"`
	Value string `parquet:"value"`
	Hi    uint64 `parquet:"hi"`
	Lo    uint64 `parquet:"lo"`
}

// beforeRow: a value was of an anonymous profile. To attribute by value.
type beforeRow struct {
	Kind    string `parquet:"kind,dict"`
	Value   string `parquet:"value"`
	Profile string `parquet:"profile"`
}

// nodeRow: no record holds the value of this hash. To place.
type nodeRow struct {
	Hi        uint64 `parquet:"hi"`
	Lo        uint64 `parquet:"lo"`
	Partition int64  `parquet:"partition"` // where its value waits
	Links     bool   `parquet:"links"`
	Device    bool   `parquet:"device"`
	SharedBy  int64  `parquet:"shared_by"`
	Before    string `parquet:"before"` // the anonymous profile that had it
}

// attachedRow: a value of this hash was seen beside a value of the profile. To
// place.
type attachedRow struct {
	Hi      uint64 `parquet:"hi"`
	Lo      uint64 `parquet:"lo"`
	Profile string `parquet:"profile"`
}

// togetherRow: two values were seen together, the first held by no record. To
// place.
type togetherRow struct {
	Hi      uint64 `parquet:"hi"`
	Lo      uint64 `parquet:"lo"`
	OtherHi uint64 `parquet:"other_hi"`
	OtherLo uint64 `parquet:"other_lo"`
}

// movedRow: a value of an anonymous profile is now a known profile's, or gone or
// ambiguous. To place.
type movedRow struct {
	Hi     uint64 `parquet:"hi"`
	Lo     uint64 `parquet:"lo"`
	Before string `parquet:"before"`
	Now    string `parquet:"now"` // "": nobody's
}

// knownRow: a value's row of identity.identifiers, but for nodes, whose Profile
// comes with placedRow. To identifiers by value.
type knownRow struct {
	Kind      string `parquet:"kind,dict"`
	Value     string `parquet:"value"`
	Profile   string `parquet:"profile"`
	Ambiguous bool   `parquet:"ambiguous"`
	Node      bool   `parquet:"node"`
}

// placedRow: where a node belongs. To identifiers by value.
type placedRow struct {
	Hi        uint64 `parquet:"hi"`
	Lo        uint64 `parquet:"lo"`
	Profile   string `parquet:"profile"`
	Ambiguous bool   `parquet:"ambiguous"`
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
