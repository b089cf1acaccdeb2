// Lists the tar archive on standard input as Go's archive/tar reads it: one JSON object a line, bytes as latin1.
package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"strings"
)

var types = map[byte]string{
	tar.TypeReg: "file", tar.TypeLink: "hardlink", tar.TypeSymlink: "symlink", tar.TypeChar: "character",
	tar.TypeBlock: "block", tar.TypeDir: "directory", tar.TypeFifo: "fifo",
}

func units(text string) string {
	runes := make([]rune, len(text))
	for i := range runes {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

func main() {
	reader := tar.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(err)
		}
		hash := ""
		if header.Typeflag == tar.TypeReg {
			sum := sha256.New()
			if _, err := io.Copy(sum, reader); err != nil {
				panic(err)
			}
			hash = hex.EncodeToString(sum.Sum(nil))
		}
		xattrs := map[string]string{}
		for key, value := range header.PAXRecords {
			if name, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok {
				xattrs[units(name)] = units(value)
			}
		}
		out.Encode(map[string]any{
			"path": units(strings.TrimSuffix(header.Name, "/")), "type": types[header.Typeflag], "mode": header.Mode,
			"uid": header.Uid, "gid": header.Gid, "size": header.Size, "mtime": header.ModTime.Unix(),
			"link": units(header.Linkname), "device": []int64{header.Devmajor, header.Devminor},
			"sha256": hash, "xattrs": xattrs,
		})
	}
}
