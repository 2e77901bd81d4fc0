package kd

import (
	"fmt"
	"strconv"
	"strings"
)

// Expressions are WinDbg's, as far as they are of use here: numbers, which are
// hexadecimal unless they begin with 0n, symbols, registers after an @, the
// operators + - * and parentheses, poi(x) for the word at x. A backtick in a
// number is there for the eye only.

// eval returns an expression's value.
func (d *Debugger) eval(text string) uint64 {
	p := expression{d: d, text: text}
	v := p.sum()
	if p.skip(); p.text != "" {
		failf("%q is not understood after %q", p.text, strings.TrimSuffix(text, p.text))
	}
	return v
}

type expression struct {
	d    *Debugger
	text string
}

func (p *expression) skip() { p.text = strings.TrimLeft(p.text, " \t") }

func (p *expression) accept(c byte) bool {
	p.skip()
	if p.text != "" && p.text[0] == c {
		p.text = p.text[1:]
		return true
	}
	return false
}

func (p *expression) sum() uint64 {
	v := p.product()
	for {
		switch {
		case p.accept('+'):
			v += p.product()
		case p.accept('-'):
			v -= p.product()
		default:
			return v
		}
	}
}

func (p *expression) product() uint64 {
	v := p.factor()
	for p.accept('*') {
		v *= p.factor()
	}
	return v
}

func (p *expression) factor() uint64 {
	switch {
	case p.accept('-'):
		return -p.factor()
	case p.accept('('):
		v := p.sum()
		if !p.accept(')') {
			failf("a parenthesis is not closed")
		}
		return v
	case p.accept('@'):
		return p.register()
	}
	p.skip()
	if strings.HasPrefix(p.text, "poi(") {
		p.text = p.text[len("poi"):]
		return p.d.word(p.factor())
	}
	word := p.word()
	if word == "" {
		failf("an address is missing")
	}
	if v, ok := number(word); ok {
		return v
	}
	s, err := p.d.symbol(word)
	if err != nil {
		fail(err)
	}
	return s.Addr
}

// word takes what may be a number or a symbol's name. Go's names have stars and
// parentheses in them: pkg.(*Type).Method.
func (p *expression) word() string {
	depth, n := 0, 0
scan:
	for n < len(p.text) {
		switch c := p.text[n]; {
		case c == '(' && n > 0 && p.text[n-1] == '.', c == '[':
			depth++
		case c == ')' && depth > 0, c == ']' && depth > 0:
			depth--
		case depth > 0:
		case strings.IndexByte("+-*() \t,", c) >= 0:
			break scan
		}
		n++
	}
	word := p.text[:n]
	p.text = p.text[n:]
	return word
}

func (p *expression) register() uint64 {
	name := strings.ToLower(p.word())
	if name == "$thread" {
		return p.d.current(p.d.cpu).addr
	}
	v, err := p.d.register(p.d.image.machine.register(name))
	if err != nil {
		fail(err)
	}
	return v
}

// number reads a number as WinDbg does.
func number(s string) (uint64, bool) {
	s = strings.ReplaceAll(strings.ToLower(s), "`", "")
	base := 16
	switch {
	case strings.HasPrefix(s, "0x"):
		s = s[2:]
	case strings.HasPrefix(s, "0n"):
		s, base = s[2:], 10
	}
	v, err := strconv.ParseUint(s, base, 64)
	return v, err == nil
}

// symbol finds the symbol that a user names: in full, without "irqlab/", or by
// the end of its name if only one ends so.
func (d *Debugger) symbol(name string) (Symbol, error) {
	name = strings.TrimPrefix(name, "nt!")
	for _, full := range []string{name, "irqlab/" + name} {
		if s, ok := d.image.Symbol(full); ok {
			return s, nil
		}
	}
	var found []Symbol
	for _, s := range d.image.symbols {
		if strings.HasSuffix(s.Name, "/"+name) || strings.HasSuffix(s.Name, "."+name) {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return Symbol{}, fmt.Errorf("couldn't resolve %q", name)
	case 1:
		return found[0], nil
	}
	return Symbol{}, fmt.Errorf("%q is ambiguous: %s and %s", name, found[0].Name, found[1].Name)
}
