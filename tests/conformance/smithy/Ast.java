// Prints every model on the class path as Smithy's JSON AST, whose errors of validation are left aside (the suites use a
// shape of a jar that holds nothing else): java -cp 'JARS/*' Ast.java. tools/fetch-conformance runs it.
import software.amazon.smithy.model.Model;
import software.amazon.smithy.model.loader.ModelAssembler;
import software.amazon.smithy.model.node.Node;
import software.amazon.smithy.model.shapes.ModelSerializer;

public class Ast {
  public static void main(String[] arguments) {
    Model model = Model.assembler()
        .putProperty(ModelAssembler.ALLOW_UNKNOWN_TRAITS, true)
        .discoverModels(Ast.class.getClassLoader())
        .assemble()
        .getResult()
        .orElseThrow();
    System.out.println(Node.printJson(ModelSerializer.builder().build().serialize(model)));
  }
}
