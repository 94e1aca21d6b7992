package files

import "io"

// readText reads a file of a text format, unpacked.
func readText(r io.Reader, o options, out *out) error {
	t, err := decode(r, o.encoding, o.format)
	if err != nil {
		return err
	}
	switch o.format {
	case "csv":
		return readCSV(t, o, out)
	case "ndjson":
		return readNDJSON(t, o, out)
	case "json":
		return readJSON(t, o, out)
	default:
		return readXML(t, o, out)
	}
}
