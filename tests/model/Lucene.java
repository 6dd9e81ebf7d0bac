/* Lucene's classic query parser, asked the same as the engine (syntax.py), a line at a time:
 *
 *     put ID FIELD=TEXT&FIELD=TEXT...      a document; texts are encoded as in forms
 *     ask TEXT                             "ok ID ID ...", or "error REASON"
 *
 * Where the specification wants another meaning than Lucene's own (spec/pixstor.md 2.2: what
 * Elasticsearch's query_string makes of it), a method of Parser is overridden, and says why. */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.DelegatingAnalyzerWrapper;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.core.KeywordAnalyzer;
import org.apache.lucene.analysis.core.KeywordTokenizer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.queryparser.classic.ParseException;
import org.apache.lucene.queryparser.classic.QueryParser;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.FuzzyQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.ByteBuffersDirectory;

public class Lucene {
	static final String ALL = "_all", EXISTS = "_exists_", WHOLE = ".whole";
	static final Set<String> FIELDS = Set.of(ALL, EXISTS, "t.name", "t.tags", "t.text");
	static final float AUTO = 9; /* no number of edits */

	static class Parser extends QueryParser {
		Parser(Analyzer analyzer) {
			super(ALL, analyzer);
			setAllowLeadingWildcard(true);
			setSplitOnWhitespace(true);
			setFuzzyMinSim(AUTO);
		}

		/* A group of prohibited clauses alone is everything without them. */
		@Override
		protected Query getBooleanQuery(List<BooleanClause> clauses) throws ParseException {
			if (!clauses.isEmpty() && clauses.stream().allMatch(BooleanClause::isProhibited))
				clauses.add(new BooleanClause(new MatchAllDocsQuery(), BooleanClause.Occur.MUST));
			return super.getBooleanQuery(clauses);
		}

		/* Of no such property there is no document, whatever is asked. "*" is all of them. */
		@Override
		protected Query getFieldQuery(String field, String text, boolean quoted) throws ParseException {
			if (!field.equals("*") && !FIELDS.contains(field))
				return new MatchNoDocsQuery();
			return super.getFieldQuery(known(field), text, quoted);
		}

		static String known(String field) {
			return field.equals("*") ? ALL : field;
		}

		/* Patterns match words and whole values. */
		Query either(Query word, Query whole) {
			BooleanQuery.Builder any = new BooleanQuery.Builder();

			any.add(word, BooleanClause.Occur.SHOULD);
			any.add(whole, BooleanClause.Occur.SHOULD);
			return any.build();
		}

		/* "*" is everything, of a field whatever has it. */
		@Override
		protected Query getWildcardQuery(String field, String text) throws ParseException {
			if (!text.matches("\\*+"))
				return either(super.getWildcardQuery(known(field), text), super.getWildcardQuery(known(field) + WHOLE, text));
			return field.equals(ALL) || field.equals("*") ? new MatchAllDocsQuery()
							       : new TermQuery(new Term(EXISTS, field));
		}

		@Override
		protected Query getPrefixQuery(String field, String text) throws ParseException {
			return either(super.getPrefixQuery(known(field), text), super.getPrefixQuery(known(field) + WHOLE, text));
		}

		@Override
		protected Query getRegexpQuery(String field, String text) throws ParseException {
			return either(super.getRegexpQuery(known(field), text), super.getRegexpQuery(known(field) + WHOLE, text));
		}

		/* "~" alone is AUTO; more than 2 edits are refused. */
		@Override
		protected Query getFuzzyQuery(String field, String text, float edits) throws ParseException {
			int length = text.codePointCount(0, text.length());

			if (edits == AUTO)
				edits = length < 3 ? 0 : length < 6 ? 1 : 2;
			if (edits > 2)
				throw new ParseException("more than 2 edits");
			int n = FuzzyQuery.floatToEdits(edits, length);
			String folded = getAnalyzer().normalize(ALL, text).utf8ToString();
			return either(new FuzzyQuery(new Term(known(field), folded), n),
					new FuzzyQuery(new Term(known(field) + WHOLE, folded), n));
		}

		/* Strings are compared as whole values. */
		@Override
		protected Query getRangeQuery(String field, String low, String high, boolean lowIn, boolean highIn)
				throws ParseException {
			if (low == null && high == null)
				return getWildcardQuery(field, "*");
			return super.getRangeQuery(known(field) + WHOLE, low, high, lowIn, highIn);
		}
	}

	/* Whole values are words of one piece, in lower case. */
	static Analyzer analyzer() {
		StandardAnalyzer words = new StandardAnalyzer();
		Analyzer whole = new Analyzer() {
			@Override
			protected TokenStreamComponents createComponents(String field) {
				KeywordTokenizer tokens = new KeywordTokenizer();
				return new TokenStreamComponents(tokens, new LowerCaseFilter(tokens));
			}

			@Override
			protected TokenStream normalize(String field, TokenStream in) {
				return new LowerCaseFilter(in);
			}
		};
		return new DelegatingAnalyzerWrapper(Analyzer.PER_FIELD_REUSE_STRATEGY) {
			final KeywordAnalyzer keyword = new KeywordAnalyzer();

			/* No phrase runs from one value into the next. */
			@Override
			public int getPositionIncrementGap(String field) {
				return 1000;
			}

			@Override
			protected Analyzer getWrappedAnalyzer(String field) {
				return field.equals(EXISTS) ? keyword : field.endsWith(WHOLE) ? whole : words;
			}
		};
	}

	static String decode(String text) {
		return URLDecoder.decode(text, StandardCharsets.UTF_8);
	}

	static Document document(String line) {
		String[] parts = line.split(" ", 2);
		Document document = new Document();

		document.add(new StringField("id", parts[0], Field.Store.YES));
		for (String value : parts[1].split("&")) {
			String[] pair = value.split("=", 2);
			String name = decode(pair[0]), text = decode(pair[1]);

			for (String field : new String[] { name, ALL }) {
				document.add(new TextField(field, text, Field.Store.NO));
				document.add(new TextField(field + WHOLE, text, Field.Store.NO));
			}
			document.add(new StringField(EXISTS, name, Field.Store.NO));
		}
		return document;
	}

	static String ask(IndexSearcher searcher, Parser parser, String text) throws Exception {
		Query query;

		try {
			query = text.isBlank() ? new MatchNoDocsQuery() : parser.parse(text);
		} catch (ParseException | IllegalArgumentException reason) {
			return "error " + String.valueOf(reason.getMessage()).replaceAll("\\s+", " ");
		}
		TreeSet<Long> ids = new TreeSet<>();
		for (ScoreDoc hit : searcher.search(query, 1000).scoreDocs)
			ids.add(Long.valueOf(searcher.doc(hit.doc).get("id")));
		StringBuilder answer = new StringBuilder("ok");
		ids.forEach(id -> answer.append(' ').append(id));
		return answer.toString();
	}

	public static void main(String[] arguments) throws Exception {
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
		IndexWriterConfig config = new IndexWriterConfig(analyzer());
		IndexWriter writer = new IndexWriter(new ByteBuffersDirectory(), config);
		Parser parser = new Parser(analyzer());
		IndexSearcher searcher = null;

		for (String line; (line = in.readLine()) != null;) {
			if (line.startsWith("put ")) {
				writer.addDocument(document(line.substring(4)));
				continue;
			}
			if (searcher == null)
				searcher = new IndexSearcher(DirectoryReader.open(writer));
			out.println(ask(searcher, parser, decode(line.substring(4))));
		}
	}
}
