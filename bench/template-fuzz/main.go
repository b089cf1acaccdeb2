// Renders templates with Go's own text/template, sprig and Helm's additions, to compare with.
//
// Reads JSON lines {"template": TEXT, "values": {…}} and writes for each {"output": TEXT} or {"error": TEXT}.
// A number of the values without point and exponent is an int, any other a float64.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

type request struct {
	Template string          `json:"template"`
	Values   json.RawMessage `json:"values"`
}

type reply struct {
	Output *string `json:"output,omitempty"`
	Error  string  `json:"error,omitempty"`
}

func convert(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			if i, err := strconv.Atoi(v.String()); err == nil {
				return i
			}
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = convert(v[i])
		}
		return v
	case map[string]any:
		for k := range v {
			v[k] = convert(v[k])
		}
		return v
	}
	return v
}

const prefix = "error converting YAML to JSON: "

func functions(t *template.Template) template.FuncMap {
	funcs := sprig.TxtFuncMap()
	funcs["include"] = func(name string, data any) (string, error) {
		var b strings.Builder
		err := t.ExecuteTemplate(&b, name, data)
		return b.String(), err
	}
	funcs["toYaml"] = func(v any) string {
		data, err := yaml.Marshal(v)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(data), "\n")
	}
	funcs["fromYaml"] = func(s string) map[string]any {
		m := map[string]any{}
		if err := yaml.Unmarshal([]byte(s), &m); err != nil {
			m["Error"] = strings.TrimPrefix(err.Error(), prefix)
		}
		return m
	}
	funcs["fromYamlArray"] = func(s string) []any {
		a := []any{}
		if err := yaml.Unmarshal([]byte(s), &a); err != nil {
			a = []any{strings.TrimPrefix(err.Error(), prefix)}
		}
		return a
	}
	funcs["toJson"] = func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(data)
	}
	funcs["fromJson"] = func(s string) map[string]any {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			m["Error"] = err.Error()
		}
		return m
	}
	funcs["fromJsonArray"] = func(s string) []any {
		a := []any{}
		if err := json.Unmarshal([]byte(s), &a); err != nil {
			a = []any{err.Error()}
		}
		return a
	}
	funcs["toToml"] = func(v any) string {
		b := bytes.NewBuffer(nil)
		if err := toml.NewEncoder(b).Encode(v); err != nil {
			return err.Error()
		}
		return b.String()
	}
	limit(funcs)
	return funcs
}

// Sizes beyond which Go would fill the memory; the comparison leaves such templates out.
const most = 100_000

const tooLarge = "LEFT OUT"

func check(sizes ...int) {
	for _, n := range sizes {
		if n > most || n < -most {
			panic(tooLarge)
		}
	}
}

// What is no time stands for now, which is another time here than there.
func checkTime(v any) {
	switch v.(type) {
	case time.Time, int, int64, int32:
	default:
		panic(tooLarge)
	}
}

func limit(funcs template.FuncMap) {
	repeat := funcs["repeat"].(func(int, string) string)
	indent := funcs["indent"].(func(int, string) string)
	nindent := funcs["nindent"].(func(int, string) string)
	until := funcs["until"].(func(int) []int)
	untilStep := funcs["untilStep"].(func(int, int, int) []int)
	seq := funcs["seq"].(func(...int) string)
	replace := funcs["replace"].(func(string, string, string) string)
	date := funcs["date"].(func(string, any) string)
	htmlDate := funcs["htmlDate"].(func(any) string)
	dateInZone := funcs["dateInZone"].(func(string, any, string) string)
	funcs["date"] = func(layout string, v any) string { checkTime(v); return date(layout, v) }
	funcs["htmlDate"] = func(v any) string { checkTime(v); return htmlDate(v) }
	funcs["dateInZone"] = func(layout string, v any, zone string) string { checkTime(v); return dateInZone(layout, v, zone) }
	durationRound := funcs["durationRound"].(func(any) string)
	funcs["durationRound"] = func(v any) string {
		if _, ok := v.(time.Time); ok {
			panic(tooLarge)
		}
		return durationRound(v)
	}
	funcs["repeat"] = func(n int, s string) string { check(n, n*len(s)); return repeat(n, s) }
	funcs["indent"] = func(n int, s string) string { check(n, n*len(s)); return indent(n, s) }
	funcs["nindent"] = func(n int, s string) string { check(n, n*len(s)); return nindent(n, s) }
	funcs["until"] = func(n int) []int { check(n); return until(n) }
	funcs["untilStep"] = func(a, b, c int) []int { check(a, b); return untilStep(a, b, c) }
	funcs["seq"] = func(n ...int) string { check(n...); return seq(n...) }
	funcs["replace"] = func(a, b, s string) string { check(len(b) * len(s)); return replace(a, b, s) }
}

func run(r request) (out reply) {
	defer func() {
		if e := recover(); e != nil {
			out = reply{Error: fmt.Sprint("panic: ", e)}
		}
	}()
	decoder := json.NewDecoder(bytes.NewReader(r.Values))
	decoder.UseNumber()
	var values any
	if err := decoder.Decode(&values); err != nil {
		return reply{Error: "values: " + err.Error()}
	}
	t := template.New("")
	t.Funcs(functions(t)).Option("missingkey=zero")
	if _, err := t.Parse(r.Template); err != nil {
		return reply{Error: err.Error()}
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Values": convert(values)}); err != nil {
		return reply{Error: err.Error()}
	}
	s := b.String()
	return reply{Output: &s}
}

func main() {
	// Values that contain themselves make Go print until its stack is full; let that be soon.
	debug.SetMaxStack(64 << 20)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer w.Flush()
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var r request
			if e := json.Unmarshal(line, &r); e != nil {
				encoder.Encode(reply{Error: "request: " + e.Error()})
			} else {
				// An endless template ends the program; the comparison starts it again behind that one.
				watch := time.AfterFunc(5*time.Second, func() { os.Exit(1) })
				encoder.Encode(run(r))
				watch.Stop()
			}
			w.Flush()
		}
		if err != nil {
			return
		}
	}
}
